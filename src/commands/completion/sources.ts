import { contexts, contextsOfWecs, type Source, several, spaces, wecs } from './cluster-names.ts';

const checkIds: Source = async () => {
  const { catalogue } = await import('../../lib/doctor/catalogue.ts');
  return catalogue.map(({ id }) => id);
};

/** By option, since options are the same in every command; with the command if one differs. */
const options: Readonly<Record<string, Source>> = {
  '--its': contexts,
  '--hosting-context': contexts,
  '--bootstrap-context': contexts,
  '--wds': spaces('wds'),
  'wds create --its': spaces('its'),
  'wds repair --its': spaces('its'),
  '--on': several(wecs),
  '--skip': checkIds,
};

/** @param path of its command @param long its name, for example `--its` */
export const offerOfOption = (path: string, long: string): Source | undefined =>
  options[`${path} ${long}`] ?? options[long];

/** Returns what a command takes as arguments; all of them are of one kind. @param path for example `wec join` @param name of the argument */
export function offerOfArguments(path: string, name: string): Source | undefined {
  const [noun = '', verb = noun] = path.split(' ');
  if (verb === 'create') return undefined;
  if (verb === 'use') return contexts;
  if (noun === 'its' || noun === 'wds') return spaces(noun);
  if (verb === 'join') return several(contextsOfWecs, contextsOfWecs);
  // A label has a `=` as well.
  if (name === 'arguments') return several(wecs);
  return name.startsWith('wec') ? several(wecs, contextsOfWecs) : undefined;
}
