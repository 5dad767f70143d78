import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Kube } from '../../lib/kube/client/client.ts';
import { seenList, shownList } from '../../lib/kube/client/missing.ts';
import {
  type KubeObject,
  namesOf,
  type Resource,
  resources,
} from '../../lib/kube/client/objects.ts';
import type { SpaceRole } from '../../lib/ocm/model/kubeflex-names.ts';
import { type Binding, objectsOf } from '../../lib/ocm/model/kubestellar-names.ts';
import { argumentOf } from '../../lib/ocm/model/object-ref.ts';
import { globalOptions } from '../common/options.ts';
import { writeFields } from '../terminal/clean.ts';
import type { Io } from '../terminal/io.ts';
import type { QuietClusters } from './quiet-clusters.ts';
import { readTyped, type Typed } from './typed.ts';

/** A directive for the shell (cobra, completions.go: ShellCompDirective). */
const noFiles = 4;

/**
 * Writes completions in the format of cobra, kubectl's command line library: one candidate per line, with a tab and a description
 * if there is one, and at the end `:` with the directive for the shell. After any error there are no candidates.
 * @param words of the command line up to the cursor; the last one is completed, and may be empty
 * @param limitMs how long the search for names may take, in milliseconds; later names are omitted
 */
export async function complete(
  io: Io,
  program: Command,
  words: readonly string[],
  limitMs: number,
): Promise<void> {
  const typed = readTyped(program, words);
  // Most words need no cluster.
  const open = async () =>
    new (await import('./quiet-clusters.ts')).QuietClusters(io, typed, limitMs);
  const { place } = typed;
  // The shell completes these itself.
  const isFile = place.kind === 'value' && /<(file|chart)>/.test(place.option.flags);
  const candidates = isFile ? [] : findCandidates(typed, open).catch(() => []);
  const all = await Promise.race([candidates, sleep(limitMs, [], { ref: false })]);
  writeFields(io.stdout, [
    ...all.map(({ name, about }) => (about ? [name, about] : [name])),
    [`:${isFile ? 0 : noFiles}`],
  ]);
}

/** A completion for the cursor position. */
interface Completion {
  name: string;
  /** A description, if known. */
  about?: string;
}

/** Returns the completions of the word at the cursor. Text from a cluster or a file is untrusted: see `safe`. */
async function findCandidates(
  typed: Typed,
  open: () => Promise<QuietClusters>,
): Promise<Completion[]> {
  const all = await allFor(typed, open);
  return all.filter((each) => safe(each) && each.name.startsWith(typed.word));
}

/** Rejects names with control or format characters: no one chooses such a name, and they could alter the terminal. */
const safe = ({ name }: Completion) => name !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name);

async function allFor(
  typed: Typed,
  open: () => Promise<QuietClusters>,
): Promise<readonly Completion[]> {
  const { place } = typed;
  if (place.kind === 'command') return commandsOf(typed.command);
  if (place.kind === 'option') return optionCandidates(typed);
  if (place.kind === 'nothing') return [];
  const what = place.kind === 'value' ? place.option : place.argument;
  if (what.argChoices !== undefined) return what.argChoices.map((name) => ({ name }));
  const offer =
    place.kind === 'value'
      ? (options[`${typed.path} ${place.option.long}`] ?? options[place.option.long ?? ''])
      : offerOfArguments(typed.path, place.argument.name());
  if (offer === undefined) return [];
  return (await offer(typed, await open())).map((name) => ({ name }));
}

const commandsOf = (command: Command): Completion[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((child) => ({ name: child.name(), about: child.summary() || child.description() }));

/** Returns options by their long names. */
function optionCandidates({ command }: Typed): Completion[] {
  const visible = command.createHelp().visibleOptions(command);
  const globals = new Set(globalOptions().map(({ long }) => long));
  const hidden = command.options.filter(({ hidden, long }) => hidden && globals.has(long));
  return [...visible, ...hidden].map(({ long, short, description }) => ({
    name: long ?? short ?? '',
    about: description,
  }));
}

/** Returns names for the cursor position, in the form to type there, whether they match the typed prefix or not. */
export type Source = (typed: Typed, clusters: QuietClusters) => Promise<readonly string[]>;

/** Contexts of the kubeconfig. Reads no cluster. */
const contexts: Source = async (_typed, clusters) => [
  ...(await clusters.kubeconfig()).contexts.keys(),
];

/** Contexts of WECs, which may be in another file. */
const contextsOfWecs: Source = async (_typed, clusters) => [
  ...(await clusters.wecKubeconfig()).contexts.keys(),
];

/** The WECs of the ITS. */
const wecNames: Source = async (_typed, clusters) => namesOf(await managedClusters(clusters));

/** The ITSes or the WDSes of the hosting cluster. */
const spaceNames =
  (role: SpaceRole): Source =>
  async (_typed, clusters) => {
    const { listControlPlanes } = await import('../../lib/spaces/space/spaces.ts');
    const { hosting } = await clusters.spaceTools();
    return namesOf(await listControlPlanes(hosting, role));
  };

/** The same, or contexts where the kubeconfig does not have the hosting cluster. */
const spacesToUse =
  (role: SpaceRole): Source =>
  async (...asked) => {
    const found = await spaceNames(role)(...asked).catch(() => []);
    return found.length > 0 ? found : contexts(...asked);
  };

/** Completes the last of several names, without those given before; after `=`, a context if there are any. */
const several =
  (names: Source, contexts?: Source): Source =>
  async (typed, clusters) => {
    const last = Math.max(...[',', '='].map((mark) => typed.word.lastIndexOf(mark)));
    const before = typed.word.slice(0, last + 1);
    const given = [...typed.positional, before].join().split(/[,=]/);
    const found = before.endsWith('=')
      ? await contexts?.(typed, clusters)
      : (await names(typed, clusters)).filter((name) => !given.includes(name));
    return (found ?? []).map((name) => before + name);
  };

/** Of the chosen ITS; of the only one if none is chosen, or what is chosen by itself is none. */
const managedClusters = async (clusters: QuietClusters): Promise<KubeObject[]> => {
  const list = async ({ kube }: { kube: Kube }) =>
    seenList(await kube.list(resources.managedClusters, { metadataOnly: true }));
  const chosen = clusters.itsChoice().then((choice) => clusters.openIts(choice));
  return (
    (await chosen.then(list).catch(() => undefined)) ?? (await list(await clusters.its())) ?? []
  );
};

/** Objects of a WDS. */
const inWds =
  (resource: Resource): Source =>
  async (_typed, clusters) => {
    const { kube } = await clusters.wds();
    return namesOf(shownList(await kube.list(resource, { metadataOnly: true })));
  };

const policyNames = inWds(resources.bindingPolicies);

/** What the policies of a WDS select, in the form that commands take. */
const workloads: Source = async ({ options }, clusters) => {
  const { kube } = await clusters.wds();
  const [wanted] = options.get('--namespace') ?? [];
  const selected = shownList(await kube.list<Binding>(resources.bindings)).flatMap(objectsOf);
  return selected
    .filter(({ namespace }) => wanted === undefined || namespace === wanted)
    .map(({ group = '', resource, namespace = null, name }) =>
      argumentOf({ kind: resource, group, namespace: wanted ? null : namespace, name }),
    );
};

/** The labels that WECs have. */
const labels: Source = async (_typed, clusters) => {
  const all = (await managedClusters(clusters)).flatMap(({ metadata }) =>
    Object.entries(metadata.labels ?? {}),
  );
  return [...new Set(all.map((entry) => entry.join('=')))];
};

const accesses: Source = async (_typed, clusters) => {
  const { findAccess } = await import('../../lib/spaces/roles/access.ts');
  const { found } = await findAccess(await clusters.spaceTools());
  return found.map(({ name }) => name);
};

const checkIds: Source = async () => {
  const { catalogue } = await import('../../lib/doctor/catalogue.ts');
  return catalogue.map(({ id }) => id);
};

/** By option, since options are the same in every command; with the command if one differs. */
const options: Readonly<Record<string, Source>> = {
  '--its': contexts,
  '--hosting-context': contexts,
  '--bootstrap-context': contexts,
  '--wds': spaceNames('wds'),
  'wds create --its': spaceNames('its'),
  'wds repair --its': spaceNames('its'),
  '--on': several(wecNames),
  '--policy': policyNames,
  '--clusters': labels,
  '--selector': labels,
  'policy create --selector': async () => [],
  '--skip': checkIds,
};

/** What commands on the objects of a space take. */
const inSpaces: Readonly<Record<string, Source>> = {
  policy: policyNames,
  collector: inWds(resources.statusCollectors),
  transform: inWds(resources.customTransforms),
  workload: workloads,
  access: accesses,
};

/** Returns what a command takes as arguments; all of them are of one kind. @param path for example `wec join` @param name of the argument */
export function offerOfArguments(path: string, name: string): Source | undefined {
  const [noun = '', verb = noun] = path.split(' ');
  if (verb === 'create') return undefined;
  if (noun === 'its' || noun === 'wds')
    return verb === 'use' ? spacesToUse(noun) : spaceNames(noun);
  const ofNoun = inSpaces[noun];
  if (ofNoun !== undefined) return ofNoun;
  if (verb === 'join') return several(contextsOfWecs, contextsOfWecs);
  // A label has a `=` as well.
  if (name === 'arguments') return several(wecNames);
  return name.startsWith('wec') ? several(wecNames, contextsOfWecs) : undefined;
}
