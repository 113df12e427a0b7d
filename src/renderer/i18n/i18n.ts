/** vue-i18n with the one language there is. Text is compiled to a tree and interpreted, so that no policy on eval is touched. */
import { createI18n } from 'vue-i18n';
import { en } from './en.ts';

export const i18n = createI18n({ legacy: false, locale: 'en', fallbackLocale: 'en', messages: { en }, missingWarn: true });

/** For code outside components. */
export const t = i18n.global.t;
