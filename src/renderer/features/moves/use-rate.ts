/** Sets a limit in bytes a second, or takes it away (null): one change at a time, each failure told. For a RateForm. */
import type { Ref } from 'vue';
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import { useWork } from '../../ui/dialog/use-work.ts';
import { notify, notifyFailure } from '../../ui/notify.ts';

export interface RateSetter {
  readonly isBusy: Readonly<Ref<boolean>>;
  readonly set: (bytesPerSecond: number | null) => Promise<void>;
}

/** `done`: whatever came of it, what is known of the limit is old. */
export function useRate(change: (bytesPerSecond: number | null) => Promise<unknown>, done: () => void): RateSetter {
  const { t } = useI18n();
  const { busy, run } = useWork<'set'>((failure) => notifyFailure(t('rate.failed'), failure));
  const set = async (bytesPerSecond: number | null): Promise<void> => {
    await run('set', async () => {
      await change(bytesPerSecond);
      if (bytesPerSecond === null) notify({ title: t('rate.removed'), icon: 'i-lucide-check', color: 'neutral' });
    });
    done();
  };
  return { isBusy: computed(() => busy.value !== null), set };
}
