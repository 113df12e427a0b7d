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

/** The same for a getter. */
export function wrapGetter<T extends object, Name extends keyof T & string>(
  prototype: T,
  name: Name,
  around: (original: (this: T) => T[Name]) => (this: T) => T[Name],
): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (descriptor?.get === undefined) throw new Error(`${name} is no getter`);
  const original: unknown = Reflect.get(descriptor, 'get');
  const get = around(function (this: T) {
    return Reflect.apply(original as () => T[Name], this, []);
  });
  Object.defineProperty(prototype, name, { ...descriptor, get });
  return () => {
    Object.defineProperty(prototype, name, descriptor);
  };
}
