/** Puts something around a method of all objects of a class, in this process; the function returned takes it away again. */
export function wrapMethod<T extends object, Name extends keyof T>(
  prototype: T,
  name: Name,
  around: (original: T[Name]) => T[Name],
): () => void {
  const original = prototype[name];
  prototype[name] = around(original);
  return () => {
    prototype[name] = original;
  };
}
