/** Copies to the clipboard and says so. Clipboard access can be refused (no permission, no secure context): said too. */
import { t } from '../i18n/i18n.ts';
import { notify } from './notify.ts';

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    notify({ id: 'copied', title: t('common.copied'), icon: 'i-lucide-check', color: 'neutral', duration: 1500 });
    return true;
  } catch {
    notify({ id: 'copied', title: t('common.copyRefused'), icon: 'i-lucide-triangle-alert', color: 'warning' });
    return false;
  }
}
