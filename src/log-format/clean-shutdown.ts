/**
 * `.kafka_cleanshutdown`: there when the broker closed its logs in order, so that a start need not scan them; removed at start.
 *
 *   {"version":0,"brokerEpoch":<n>}        (an empty file in Kafka before 3.7: read as an unknown epoch)
 *
 * Source: Kafka's CleanShutdownFileHandler, KIP-966.
 */
export function encodeCleanShutdown(brokerEpoch: number): string {
  return JSON.stringify({ version: 0, brokerEpoch });
}

/** The broker epoch that was shut down, -1 when the file doesn't tell. */
export function decodeCleanShutdown(text: string): number {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null && 'brokerEpoch' in content && Number.isSafeInteger(content.brokerEpoch)) {
      return Number(content.brokerEpoch);
    }
  } catch {
    // An old broker's empty file.
  }
  return -1;
}
