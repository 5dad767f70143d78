import type { FleetDocument } from './fleet-schema.ts';

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

/** Says which names a person must change: several clusters may have come to one, and some have none. */
export function withNameNotes({ wecs, comments }: ImportedFleet): ImportedFleet {
  const named = wecs.filter(({ name }) => name !== '');
  const twice = [...Map.groupBy(named, ({ name }) => name)].flatMap(([name, all]) => (all.length > 1 ? name : []));
  return {
    wecs: named,
    comments: [
      ...comments,
      ...twice.map((name) => `${name}: several clusters come to this name; give the others another one`),
      ...(named.length < wecs.length
        ? ['left out: clusters whose names have no letter or digit that a WEC may have']
        : []),
    ],
  };
}

export const without = (
  values: Record<string, string> = {},
  isLeftOut: (key: string) => boolean,
): Record<string, string> => Object.fromEntries(Object.entries(values).filter(([key]) => !isLeftOut(key)));
