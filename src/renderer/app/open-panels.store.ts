/** What is open over the page. */
import { defineStore } from 'pinia';
import { ref } from 'vue';

export const useOpenPanels = defineStore('openPanels', () => {
  const palette = ref(false);
  const help = ref(false);
  const newCluster = ref(false);
  return { palette, help, newCluster };
});
