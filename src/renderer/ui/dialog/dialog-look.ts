/** The look of the dialogs that are forms: `:ui` of a UModal. The width is a whole class name, for Tailwind's scan. */
export function dialogLook(width: 'max-w-md' | 'max-w-xl' | 'max-w-2xl') {
  return {
    content: width,
    header: 'min-h-0 p-4 pb-3 sm:px-4',
    title: 'text-sm truncate pr-8',
    description: 'text-xs mt-0.5',
    body: 'p-4 sm:p-4',
    footer: 'flex-wrap justify-end gap-2 p-3 sm:px-4',
  };
}
