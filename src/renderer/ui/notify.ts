/** Short messages in the corner. The frame hands over Nuxt UI's toaster once, so that code outside components can speak too. */
import type { Failure } from '../../console/contract/failure.ts';

export interface Notice {
  readonly id?: string;
  readonly title: string;
  readonly description?: string;
  readonly icon?: string;
  readonly color?: 'success' | 'warning' | 'error' | 'neutral';
  readonly duration?: number;
}

let show: (notice: Notice) => void = () => undefined;

export function setNotifier(notifier: (notice: Notice) => void): void {
  show = notifier;
}

export function notify(notice: Notice): void {
  show(notice);
}

export function notifyFailure(title: string, failure: Failure): void {
  const what = [failure.api, failure.name].filter((part) => part !== null).join(' · ');
  show({
    title,
    description: what === '' ? failure.message : `${what}: ${failure.message}`,
    icon: 'i-lucide-circle-x',
    color: 'error',
    duration: 12_000,
  });
}
