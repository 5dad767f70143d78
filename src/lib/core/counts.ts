/** A number of things: `1 work`, `2 works`. @param many the plural, if it is not the singular with an s */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

/** What a list leaves out that shows only the first ones: `and 2 others`. Nothing if it shows all. */
export const others = (all: number, listed: number): string[] =>
  all > listed ? [`and ${count(all - listed, 'other')}`] : [];

/** The first ones of a list, and how many others it has. */
export const few = (all: readonly string[], atMost = 5): string[] => [
  ...all.slice(0, atMost),
  ...others(all.length, atMost),
];
