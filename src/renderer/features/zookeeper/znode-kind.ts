/** What one of Kafka's nodes is for, by its path: the key of a sentence; null for a node that isn't Kafka's. */
import type { zookeeperTexts } from '../../i18n/zookeeper.ts';

export type ZnodeKind = keyof typeof zookeeperTexts.kind;

const KINDS: readonly (readonly [RegExp, ZnodeKind])[] = [
  [/^\/brokers\/ids\/\d+$/, 'brokerId'],
  [/^\/brokers\/topics\/[^/]+$/, 'topic'],
  [/^\/brokers\/topics\/[^/]+\/partitions\/\d+\/state$/, 'state'],
  [/^\/controller$/, 'controller'],
  [/^\/controller_epoch$/, 'controllerEpoch'],
  [/^\/cluster\/id$/, 'clusterId'],
  [/^\/config\/changes(\/|$)/, 'configChanges'],
  [/^\/config\/(topics|brokers|clients|users|ips)(\/|$)/, 'config'],
  [/^\/admin\/delete_topics(\/|$)/, 'deleteTopics'],
  [/^\/admin\/reassign_partitions$/, 'reassign'],
  [/^\/isr_change_notification(\/|$)/, 'isrChange'],
  [/^\/log_dir_event_notification(\/|$)/, 'logDirEvent'],
  [/^\/latest_producer_id_block$/, 'producerIds'],
  [/^\/brokers$/, 'brokers'],
  [/^\/zookeeper(\/|$)/, 'zookeeper'],
];

export function znodeKind(path: string): ZnodeKind | null {
  return KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}

/** A path that was typed: one slash in front, none at the end. */
export function tidyPath(text: string): string {
  const parts = text
    .trim()
    .split('/')
    .filter((part) => part !== '');
  return `/${parts.join('/')}`;
}

/** `/a/b/c` → `/`, `/a`, `/a/b`: what must be open for it to be seen. */
export function ancestorsOf(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, at) => `/${parts.slice(0, at).join('/')}`);
}
