/**
 * The console's pages. Hash routing: the same build works under samsa-app:// and the browser host, and a server needs no
 * fallback. What a person would share or go back to (tab, filter, sort, seek, selection) is in the path or the query.
 */
import { createRouter, createWebHashHistory } from 'vue-router';
import type { Router, RouterHistory } from 'vue-router';
import { LOCAL_CLUSTER_ID } from '../../console/contract/clusters.ts';

export const topicTabs = ['messages', 'partitions', 'configs', 'groups', 'segments', 'replication', 'flush', 'retention'] as const;
export const brokerTabs = ['logs', 'configs', 'partitions', 'storage', 'network'] as const;

declare module 'vue-router' {
  interface RouteMeta {
    /** Which item of the rail the page belongs to, and the key of its title. */
    section?: 'overview' | 'brokers' | 'topics' | 'groups' | 'controller' | 'internals';
  }
}

export function makeRouter(): Router {
  const history = createWebHashHistory();
  const router = createRouter({
    history,
    routes: [
      { path: '/', redirect: { name: 'overview', params: { clusterId: LOCAL_CLUSTER_ID } } },
      {
        path: '/c/:clusterId',
        component: () => import('../features/clusters/ClusterShell.vue'),
        children: [
          { path: '', redirect: { name: 'overview' } },
          {
            path: 'overview',
            name: 'overview',
            component: () => import('../features/overview/OverviewPage.vue'),
            meta: { section: 'overview' },
          },
          {
            path: 'brokers',
            name: 'brokers',
            component: () => import('../features/brokers/BrokersPage.vue'),
            meta: { section: 'brokers' },
          },
          {
            path: `brokers/:brokerId(-?\\d+)/:tab(${brokerTabs.join('|')})?`,
            name: 'broker',
            component: () => import('../features/brokers/BrokerPage.vue'),
            meta: { section: 'brokers' },
          },
          {
            path: 'processes/:processId',
            name: 'process',
            component: () => import('../features/brokers/ProcessPage.vue'),
            meta: { section: 'brokers' },
          },
          { path: 'topics', name: 'topics', component: () => import('../features/topics/TopicsPage.vue'), meta: { section: 'topics' } },
          {
            path: `topics/:topic/:tab(${topicTabs.join('|')})?`,
            name: 'topic',
            component: () => import('../features/topics/TopicPage.vue'),
            meta: { section: 'topics' },
          },
          { path: 'groups', name: 'groups', component: () => import('../features/groups/GroupsPage.vue'), meta: { section: 'groups' } },
          {
            path: 'groups/:groupId',
            name: 'group',
            component: () => import('../features/groups/GroupPage.vue'),
            meta: { section: 'groups' },
          },
          {
            path: 'internals/zookeeper/:tab(sessions|watches)?',
            name: 'zookeeper',
            component: () => import('../features/zookeeper/ZooKeeperPage.vue'),
            meta: { section: 'internals' },
          },
          {
            path: 'controller',
            name: 'controller',
            component: () => import('../features/controller/ControllerPage.vue'),
            meta: { section: 'controller' },
          },
        ],
      },
      { path: '/:rest(.*)*', redirect: '/' },
    ],
  });
  followEarlyChanges(router, history);
  return router;
}

/** A page whose code can't be fetched (the console was updated meanwhile) is told of: nothing else would be seen of it. */
export function tellFailedPages(router: Router, tell: () => void): void {
  router.onError((error: unknown) => {
    if (error instanceof TypeError) tell();
  });
}

/**
 * An address that is opened while the first page is still being loaded (a link from outside, samsa://open/…) is where to go. vue-router hears of
 * addresses only once it has its first page, and puts that page's own in the place of the new one.
 */
export function followEarlyChanges(router: Router, history: RouterHistory): void {
  const forget = history.listen((to) => void router.push(to));
  // Given up for the new address, the first navigation fails; the router listens by itself all the same.
  router.isReady().then(forget, forget);
}
