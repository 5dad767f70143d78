import type { FleetDocument } from '../file/schema.ts';

/** WECs as another program or a kubeconfig has them. */
export interface ImportedFleet {
  wecs: NonNullable<FleetDocument['wecs']>;
  /** What a person must know or decide, one line each. */
  comments: string[];
}

/** A name that an ITS allows, as near as possible. */
export const wecNameOf = (given: string): string =>
  given
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');

export const without = (
  values: Record<string, string> = {},
  isLeftOut: (key: string) => boolean,
): Record<string, string> => Object.fromEntries(Object.entries(values).filter(([key]) => !isLeftOut(key)));
