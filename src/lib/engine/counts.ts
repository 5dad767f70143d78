/** A number of things: `1 work`, `2 works`. @param many the plural, if it is not the singular with an s */
export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;
