/** Sets `light` or `dark` on the root element: the person's choice, else the system's, followed as it changes. */
import { watchEffect } from 'vue';
import { ref } from 'vue';
import { useSettings } from './settings.store.ts';

export function followTheme(): void {
  const settings = useSettings();
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemDark = ref(system.matches);
  system.addEventListener('change', (event) => (systemDark.value = event.matches));
  watchEffect(() => {
    const dark = settings.theme === 'dark' || (settings.theme === 'system' && systemDark.value);
    document.documentElement.classList.toggle('dark', dark);
    document.documentElement.classList.toggle('light', !dark);
  });
}
