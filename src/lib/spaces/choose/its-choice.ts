import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { failureOf, StellarError } from '../../core/errors.ts';
import { advice, asCalled, command, partial, run } from '../../core/next-step.ts';
import { jsonObject } from '../../core/text/formats.ts';
import { type Access, hidden, ifSeen, through, whyUnseen } from '../../kube/access.ts';
import type { Kube } from '../../kube/client/client.ts';
import { onlyOf, resources } from '../../kube/client/objects.ts';
import type { KubeconfigTarget } from '../../kube/kubeconfig/edit.ts';
import { noneGiven } from '../../kube/kubeconfig/entries.ts';
import {
  type Kubeconfig,
  loadKubeconfig,
  type SelectedContext,
  selectContext,
  unknownContext,
} from '../../kube/kubeconfig/kubeconfig.ts';
import { clusterUid } from '../../ocm/hub/cluster-uid.ts';
import { isSpaceName, roleWithArticle, type SpaceRole } from '../../ocm/model/kubeflex-names.ts';
import type { ControlPlane } from '../../ocm/model/kubeflex-objects.ts';
import { controlPlaneOf, hostingOf, type SpaceTools } from '../hosting/hosting.ts';
import { contextFor, contextsOf, controlPlaneMarked, reachSpace } from '../space/space-access.ts';
import { listControlPlanes, roleOf } from '../space/spaces.ts';

/** The ITS that a command uses, and what selected it. */
export interface ItsChoice {
  /** A context, or the name of an ITS. */
  given: string;
  source: '--its' | 'STELLARCTL_ITS' | 'its use' | 'current context' | 'only ITS';
}

/**
 * Chooses the ITS, in this order: the given one, the variable STELLARCTL_ITS, the choice of `its use`, the current context. It
 * never probes contexts.
 * @throws StellarError `usage` if none of these is set
 */
export function chooseIts(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
  settings: Choices,
  kubeconfig: Kubeconfig,
): ItsChoice {
  if (given !== undefined) return { given, source: '--its' };
  if (env.STELLARCTL_ITS) return { given: env.STELLARCTL_ITS, source: 'STELLARCTL_ITS' };
  if (settings.its !== undefined) return { given: settings.its, source: 'its use' };
  if (kubeconfig.currentContext !== undefined)
    return { given: kubeconfig.currentContext, source: 'current context' };
  throw noneGiven('No ITS', '--its', kubeconfig);
}

/** The WDS that a command uses, and what selected it; undefined if only the hosting cluster and the current context do. */
export interface WdsChoice {
  /** Its name, or a context. */
  given: string;
  source: '--wds' | 'STELLARCTL_WDS' | 'wds use';
}

/** Does the same for a WDS, without the current context. */
export function chooseWds(
  given: string | undefined,
  { STELLARCTL_WDS: variable }: NodeJS.ProcessEnv,
  { wds }: Choices,
): WdsChoice | undefined {
  if (given !== undefined) return { given, source: '--wds' };
  if (variable) return { given: variable, source: 'STELLARCTL_WDS' };
  return wds === undefined ? undefined : { given: wds, source: 'wds use' };
}

/** The error with what selected a space that does not exist, and what undoes that, unless it was an option. */
export function withSource(error: unknown, source: (ItsChoice | WdsChoice)['source']): unknown {
  const isUnknown =
    error instanceof StellarError && ['context-unknown', 'not-found'].includes(error.code);
  if (!isUnknown || !/^STELLARCTL_| use$/.test(source)) return error;
  const [by, undo] = source.endsWith(' use')
    ? [`stellarctl ${source}`, `stellarctl ${source} --unset`]
    : [source, `unset ${source}`];
  const option = /its/i.test(source) ? '--its ITS' : '--wds WDS';
  return new StellarError(
    error.code,
    `${error.message} It was selected by "${asCalled(by)}".`,
    ...error.next,
    advice(`To use another one: ${option}`),
    run(undo, 'Or undo that'),
  ).with({ details: error.details });
}

/** Chooses a new ITS if none is chosen or the chosen one's context no longer exists. @returns whether later commands use it */
export async function useItsIfNone(
  context: string,
  { hosting, target }: { hosting: Kube; target: KubeconfigTarget },
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const kubeconfig = await loadKubeconfig(target.file, target.env);
  const { its } = choicesFor(await readSettings(), hosting.cluster.server);
  if (env.STELLARCTL_ITS) return env.STELLARCTL_ITS === context;
  if (its !== undefined && kubeconfig.contexts.has(its)) return its === context;
  await chooseSpace('its', context, hosting);
  return true;
}

/** Clears the choice if it is this context. */
export async function forgetSpace(role: SpaceRole, context: string, hosting: Kube): Promise<void> {
  const { [role]: chosen } = choicesFor(await readSettings(), hosting.cluster.server);
  if (chosen === context) await chooseSpace(role, undefined, hosting);
}

/**
 * Chooses a space for later commands, in place of a choice that was made without a hosting cluster.
 * @param given a context, or its name; undefined clears the choice
 * @param hosting the hosting cluster, if one is known
 */
export async function chooseSpace(
  role: SpaceRole,
  given: string | undefined,
  hosting: Kube | undefined,
) {
  const { [role]: _, ...others } = await readSettings();
  const choice: Choices = given === undefined ? {} : { [role]: given };
  const uid = hosting && (await clusterUid(hosting));
  if (hosting === undefined || uid === undefined) return writeSettings({ ...others, ...choice });
  const { [role]: __, ...present } = others.hosting?.[uid] ?? {};
  const noted = { ...present, ...choice, server: hosting.cluster.server };
  await writeSettings({ ...others, hosting: { ...others.hosting, [uid]: noted } });
}

/**
 * The choices for a hosting cluster, else those that were made without one.
 * @param server of the hosting cluster, if one is selected
 * @param others the servers of a kubeconfig that selects none: if choices were made for only one of them, these count
 */
export function choicesFor(
  { hosting = {}, ...general }: Settings,
  server: string | undefined,
  others: readonly string[] = [],
): Choices {
  const all = Object.values(hosting);
  const only = onlyOf(all.filter((choices) => others.includes(choices.server)));
  return { ...general, ...(all.find((choices) => choices.server === server) ?? only) };
}

/** The spaces that commands use by default, each by a context or its name. */
interface Choices {
  its?: string;
  wds?: string;
}

/** The user's persistent settings. They contain no credentials: contexts are in the kubeconfig. */
export interface Settings extends Choices {
  /** The choices for the spaces of hosting clusters, by their kube-system UID: several may have spaces of one name. */
  hosting?: Record<string, Choices & { server: string }>;
}

/** `$XDG_CONFIG_HOME/stellarctl/settings.json`, else under ~/.config. */
export function settingsFile(env: NodeJS.ProcessEnv = process.env): string {
  const base = env.XDG_CONFIG_HOME || path.join(homedir(), '.config');
  return path.join(base, 'stellarctl', 'settings.json');
}

/** @throws StellarError `file-error` for an invalid file; a missing file is empty */
export async function readSettings(file = settingsFile()): Promise<Settings> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new StellarError(
      'file-error',
      `The settings ${file} cannot be read: ${(error as Error).message}.`,
    ).with({ cause: error });
  }
  const settings = jsonObject(text);
  if (settings !== undefined) return settings;
  throw new StellarError(
    'file-error',
    `The settings ${file} are not JSON.`,
    run(command`rm ${file}`, 'Remove it'),
    partial('stellarctl its use CONTEXT', 'Then choose again'),
  );
}

/** Replaces the file atomically: readers never see a partial file. */
export async function writeSettings(settings: Settings, file = settingsFile()): Promise<void> {
  const { mkdir } = await import('node:fs/promises');
  const { writePrivately } = await import('../../core/private-file.ts');
  await mkdir(path.dirname(file), { recursive: true }).catch((error: Error) => {
    throw new StellarError(
      'file-error',
      `The settings ${file} cannot be written: ${error.message}.`,
    ).with({ cause: error });
  });
  await writePrivately(file, `${JSON.stringify(settings, null, 2)}\n`);
}

type HostingTools = Pick<SpaceTools, 'hosting' | 'hostingContext' | 'hostingSource' | 'kubeconfig'>;

/**
 * Resolves the ITS that a command uses, given as a context or by its name, in this order: a context of that name, a context marked
 * with an ITS of that name, an ITS of the hosting cluster.
 * @throws StellarError `context-unknown` if none is found, `several-its` if ITSes of several hosting clusters have the name
 */
export async function resolveIts(
  { given, source }: ItsChoice,
  kubeconfig: Kubeconfig,
  findHosting: () => Promise<Access<HostingTools>>,
): Promise<SelectedContext> {
  if (kubeconfig.contexts.has(given)) return selectContext(kubeconfig, given);
  const hosting = await findHosting();
  const noted = notedContext(given, kubeconfig, hosting);
  if (noted !== undefined) return selectContext(kubeconfig, noted);
  const unknown = failureOf(withSource(unknownContext(kubeconfig, given), source));
  if (!isSpaceName(given)) throw unknown;
  const found = await through(hosting, (tools) => findByName(given, tools));
  const context = ifSeen(ifSeen(found));
  if (context !== undefined) return context;
  const why = whyUnseen(ifSeen(found) ?? found);
  throw unknown.with({ details: [`No ITS of that name was found either: ${why}`] });
}

/** @returns a context marked with the control plane of this name */
function notedContext(name: string, kubeconfig: Kubeconfig, hosting: Access<HostingTools>) {
  const isCertain = hosting.state === 'seen' && hosting.value.hostingSource !== 'current context';
  if (isCertain) return contextsOf(kubeconfig, name, hosting.value.hostingContext.name)[0];
  const noted = [...kubeconfig.contexts].filter(([, context]) => controlPlaneOf(context) === name);
  const byHosting = new Map(noted.map(([context, entry]) => [hostingOf(entry) ?? '', context]));
  const contexts = [...byHosting.values()];
  if (contexts.length <= 1) return contexts[0];
  throw new StellarError(
    'several-its',
    `Several hosting clusters have a space ${name}: its contexts are ${contexts.join(', ')}.`,
    advice('Give one of these contexts'),
  );
}

async function findByName(name: string, tools: HostingTools): Promise<Access<SelectedContext>> {
  const { hosting } = tools;
  const controlPlane = await hosting.get<ControlPlane>(resources.controlPlanes, name);
  const role = controlPlane && roleOf(controlPlane);
  if (controlPlane === undefined || role === undefined)
    return hidden(`${hosting.cluster.context} has no ITS ${name}`);
  if (role !== 'its')
    return hidden(`${name} is ${roleWithArticle(role)} of ${hosting.cluster.context}`);
  const context = contextFor(controlPlane, tools) ?? name;
  return through(await reachSpace(controlPlane, tools), (found) => ({ ...found, name: context }));
}

/** The only ITS of the hosting cluster; undefined if it has none or several, or does not show them. */
export async function onlyIts(hosting: Access<HostingTools>): Promise<ItsChoice | undefined> {
  const all = await through(hosting, ({ hosting: kube }) => listControlPlanes(kube, 'its'));
  const its = onlyOf(ifSeen(all) ?? []);
  return its && { given: its.metadata.name, source: 'only ITS' };
}

/** The name of an ITS of the hosting cluster, given by its name or by a context marked with it. */
export function nameOfIts(given: string, { kubeconfig, hostingContext }: HostingTools): string {
  return controlPlaneMarked(given, kubeconfig, hostingContext.name) ?? given;
}
