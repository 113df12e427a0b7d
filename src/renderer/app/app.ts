/** Puts the app together: everything main.ts and the development build have in common. */
import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import '../theme/main.css';
import 'virtual:samsa-colours.css';
import ui from '@nuxt/ui/vue-plugin';
import { PiniaColada } from '@pinia/colada';
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import { i18n } from '../i18n/i18n.ts';
import AppFrame from './frame/AppFrame.vue';
import { notify } from '../ui/notify.ts';
import { makeRouter, tellFailedPages } from './router.ts';
import { connectWithRetry } from './rpc/connection.ts';
import type { Connector } from './rpc/connection.ts';
import { connectionKey } from './rpc/use-console.ts';

export function startApp(connector: Connector): void {
  const app = createApp(AppFrame);
  app.provide(connectionKey, connectWithRetry(connector));
  app.use(createPinia());
  app.use(PiniaColada, {});
  const router = makeRouter();
  tellFailedPages(router, () => {
    const { t } = i18n.global;
    notify({
      id: 'failed-page',
      title: t('connection.pageFailed'),
      description: t('connection.pageFailedHint'),
      icon: 'i-lucide-circle-x',
      color: 'error',
    });
  });
  app.use(router);
  app.use(i18n);
  app.use(ui);
  app.mount('#app');
}
