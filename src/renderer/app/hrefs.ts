/**
 * Addresses as plain text, for links in long lists: a RouterLink per row resolves its route at each render, which is most of a
 * row's cost. The router hears of the change of hash by itself.
 */
const segment = encodeURIComponent;

export function topicHref(clusterId: string, topic: string): string {
  return `#/c/${segment(clusterId)}/topics/${segment(topic)}`;
}

export function groupHref(clusterId: string, groupId: string): string {
  return `#/c/${segment(clusterId)}/groups/${segment(groupId)}`;
}
