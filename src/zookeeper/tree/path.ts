/** Names of nodes: what ZooKeeper's PathUtils accepts, and the way to a parent. The root's parent is undefined. */

/** Why `path` can't be a node's path, or undefined when it can. */
export function pathError(path: string): string | undefined {
  if (path.length === 0) return 'Path length must be > 0';
  if (path.charCodeAt(0) !== SLASH) return 'Path must start with / character';
  if (path.length === 1) return undefined;
  if (path.charCodeAt(path.length - 1) === SLASH) return 'Path must not end with / character';
  let previous = SLASH;
  for (let i = 1; i < path.length; i++) {
    const c = path.charCodeAt(i);
    if (c === 0) return `null character not allowed @${i}`;
    if (c === SLASH && previous === SLASH) return `empty node name specified @${i}`;
    if (c === DOT && isRelativeDot(path, i, previous)) return `relative paths not allowed @${i}`;
    if (isInvalidCharacter(c)) return `invalid character @${i}`;
    previous = c;
  }
  return undefined;
}

const SLASH = 0x2f;
const DOT = 0x2e;

function isRelativeDot(path: string, i: number, previous: number): boolean {
  const endsName = i + 1 === path.length || path.charCodeAt(i + 1) === SLASH;
  if (!endsName) return false;
  return previous === SLASH || (previous === DOT && path.charCodeAt(i - 2) === SLASH);
}

function isInvalidCharacter(c: number): boolean {
  return (c > 0 && c <= 0x1f) || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0;
}

/** The parent's path; '/' for a child of the root. `path` has a slash. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

export function childName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
