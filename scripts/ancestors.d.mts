export function watchAncestors(onChange: () => void, look?: () => string): () => void;
