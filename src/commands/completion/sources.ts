import {
  commaSeparated,
  contexts,
  contextsOfWecs,
  pending,
  type Source,
  several,
  spaces,
  wecs,
  withContexts,
} from './cluster-names.ts';

const checkIds: Source = async () => {
  const { catalogue } = await import('../../lib/doctor/catalogue.ts');
  return catalogue.map(({ id }) => id);
};

/** By option, since options are the same in every command; with the command if one differs. */
const options: Readonly<Record<string, Source>> = {
  '--its': contexts,
  '--hosting-context': contexts,
  '--wec-context': contextsOfWecs,
  '--bootstrap-context': contexts,
  '--wds': spaces('wds'),
  'wds create --its': spaces('its'),
  'wds repair --its': spaces('its'),
  '--on': commaSeparated(wecs),
  '--skip': checkIds,
};

const wecsWithContexts = withContexts(wecs);

/** By the commands that take the arguments; `wec` is optional, as on the command line. */
const arguments_: Readonly<Record<string, Source>> = {
  'its use': contexts,
  'wds use': contexts,
  'wec join': withContexts(contextsOfWecs),
  'wec accept': withContexts(pending),
  ...offerEach(several(wecs), ['wec label', 'wec properties']),
  'wec delete': several(contexts),
  ...offerEach(wecsWithContexts, ['wec get', 'wec wait', 'wec grant', 'wec revoke', 'wec upgrade', 'wec deregister']),
  ...offerEach(wecsWithContexts, ['doctor', 'report', 'version', 'upgrade plan']),
  ...offerEach(spaces('its'), ['its get', 'its context', 'its repair', 'its upgrade', 'its delete']),
  ...offerEach(spaces('wds'), [
    'wds get',
    'wds context',
    'wds repair',
    'wds restart',
    'wds upgrade',
    'wds guard',
    'wds unguard',
    'wds delete',
  ]),
};

function offerEach(offer: Source, names: readonly string[]): Record<string, Source> {
  return Object.fromEntries(names.map((name) => [name, offer]));
}

/** @param path of its command @param long its name, for example `--its` */
export const offerOfOption = (path: string, long: string): Source | undefined =>
  options[`${path} ${long}`] ?? options[long];

/** Returns what a command takes as arguments; all arguments of a command are of one kind. @param path for example `wec join` */
export const offerOfArguments = (path: string): Source | undefined => arguments_[path] ?? arguments_[`wec ${path}`];
