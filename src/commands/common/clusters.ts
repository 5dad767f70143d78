import { isDeepStrictEqual } from 'node:util';
import { Deadline } from '../../lib/core/deadline.ts';
import { failureOf } from '../../lib/core/errors.ts';
import type { ProgramRun } from '../../lib/core/program.ts';
import type { Run } from '../../lib/core/run.ts';
import { ifSeen, tryRead } from '../../lib/kube/access.ts';
import { type Connecting, connect, type Kube, requestLimit } from '../../lib/kube/client/client.ts';
import type { PluginHost } from '../../lib/kube/client/credentials.ts';
import type { KubeconfigTarget } from '../../lib/kube/kubeconfig/edit.ts';
import {
  type Kubeconfig,
  loadKubeconfig,
  type SelectedContext,
  selectContext,
} from '../../lib/kube/kubeconfig/kubeconfig.ts';
import { type RecordedWrite, recordWrites, type WriteRecorder } from '../../lib/kube/writes.ts';
import {
  choicesFor,
  chooseIts,
  chooseWds,
  type ItsChoice,
  onlyIts,
  readSettings,
  resolveIts,
  settingsFile,
  type WdsChoice,
  withSource,
} from '../../lib/spaces/choose/its-choice.ts';
import type { Wds } from '../../lib/spaces/choose/open-wds.ts';
import {
  chooseHosting,
  discoveryTimeoutMs,
  type HostingSource,
  otherHosting,
  requireHosting,
  type SpaceTools,
} from '../../lib/spaces/hosting/hosting.ts';
import { startStep } from '../../lib/spaces/local/local-cluster-names.ts';
import { stepsFor } from '../../lib/spaces/space/space-access.ts';
import type { Io } from '../terminal/io.ts';
import type { SessionOptions } from './options.ts';
import type { WecArgument } from './wec-argument.ts';

/** The clusters and programs of a command, as its options, the environment and the settings select them. */
export class Clusters {
  readonly io: Io;
  readonly run: Run;
  readonly options: SessionOptions;
  /** The writes that a dry run omitted. */
  protected readonly writes: RecordedWrite[] = [];
  /** What was taken from the current context, by the option that names it. */
  protected readonly assumed = new Map<string, string>();
  readonly #plugins: PluginHost;
  readonly #clients: { context: SelectedContext | undefined; kube: Kube }[] = [];
  /** Clients of WECs by their contexts, which share the requests in flight. */
  readonly #named = new Map<string, Kube>();
  readonly #limit = requestLimit();
  readonly #wecKubeconfigs = new Map<string, Promise<Kubeconfig>>();
  #kubeconfig: Promise<Kubeconfig> | undefined;
  #live: Clusters | undefined;
  #hosting: Promise<{ context: SelectedContext; source: HostingSource }> | undefined;

  constructor(io: Io, options: SessionOptions, run: Run) {
    this.io = io;
    this.options = options;
    this.run = run;
    this.#plugins = {
      ...this.programs,
      issue: async (...request) =>
        (await import('../../lib/kube/client/exec-plugin.ts')).issuedFor(...request),
      hasTerminal: () => Boolean(io.stdin.isTTY),
      issued: new Map(),
      terminalQueue: Promise.resolve(),
    };
  }

  kubeconfig(): Promise<Kubeconfig> {
    this.#kubeconfig ??= loadKubeconfig(this.options.kubeconfig, this.io.env);
    return this.#kubeconfig;
  }

  /** Returns the ITS that options, environment and settings select. */
  async itsChoice(): Promise<ItsChoice> {
    return chooseIts(this.options.its, this.io.env, await this.#choices(), await this.kubeconfig());
  }

  /** Does the same; undefined if no ITS is selected or the selection cannot be read. */
  itsIfAny(): Promise<ItsChoice | undefined> {
    return this.itsChoice().catch(() => undefined);
  }

  /** Returns the ITS, a client for it, and what selected it: without a current context that is one, the only one of the hosting cluster. */
  async its() {
    const { mayBeHub, notAHub } = await import('../../lib/ocm/hub/require-hub.ts');
    const theOnly = async () => onlyIts(await tryRead(() => this.spaceTools()));
    const choice = await this.itsChoice().catch(async (error: unknown) => {
      const only = failureOf(error).code === 'usage' ? await theOnly() : undefined;
      if (only === undefined) throw error;
      return only;
    });
    const opened = await this.openIts(choice);
    if (choice.source !== 'current context' || (await mayBeHub(opened.kube))) return opened;
    const only = await theOnly();
    if (only === undefined) throw notAHub(opened.kube);
    return this.openIts(only);
  }

  async openIts(choice: ItsChoice) {
    const kubeconfig = await this.kubeconfig();
    const found = await resolveIts(choice, kubeconfig, () => tryRead(() => this.spaceTools()));
    const context = { ...found, ...stepsFor(found.name, 'its', kubeconfig) };
    if (isAssumed(choice.source)) this.assume('--its', choice.given);
    return { context, kube: this.connect(context), choice };
  }

  /** Returns clients for WECs, by their contexts; a WEC that is named without a context has none. */
  wecs<Context extends string | undefined>(named: readonly { name: string; context: Context }[]) {
    type Client = Context extends string ? Kube : undefined;
    return Promise.all(
      named.map(async ({ name, context }) => ({
        name,
        kube: (context && (await this.#wec(context))) as Client,
      })),
    );
  }

  async #wec(context: string): Promise<Kube> {
    const kube = this.#named.get(context) ?? this.connectWec(await this.contextOf(context));
    this.#named.set(context, kube);
    return kube;
  }

  /** Returns a client for a WEC, which shares the requests in flight with those of the others. */
  connectWec(context: SelectedContext): Kube {
    return this.connect(context, { shared: this.#limit });
  }

  /** Returns a context of a WEC. @param file its kubeconfig (default: `--wec-kubeconfig`, else the usual one) */
  async contextOf(name: string, file?: string): Promise<SelectedContext> {
    return selectContext(await this.wecKubeconfig(file), name);
  }

  /**
   * Returns clients for the contexts that may lead to the WEC of a name: the one of this name, else those whose name or cluster
   * ends with it, such as kind-NAME and admin@NAME.
   */
  async contextsNamed(name: string): Promise<Kube[]> {
    const { contexts } = await this.wecKubeconfig();
    if (contexts.has(name)) return [await this.#wec(name)];
    const isAlike = (text = '') =>
      text.endsWith(name) && !/[a-z0-9]/i.test(text.at(-name.length - 1) ?? '');
    const alike = [...contexts].filter(([each, { cluster }]) => isAlike(each) || isAlike(cluster));
    const opened = await Promise.all(alike.map(([each]) => tryRead(() => this.#wec(each))));
    return opened.flatMap((each) => ifSeen(each) ?? []);
  }

  /**
   * Returns clients for WECs of an ITS. Where no context is given and none has the name of the WEC: by one that is proven to lead there.
   */
  async registeredWecs(named: readonly WecArgument[], hub: Kube) {
    const { provenWec } = await import('../../lib/ocm/hub/find-wecs.ts');
    const open = async ({ name, context }: WecArgument) => {
      const alike = context === undefined ? await this.contextsNamed(name) : [];
      const others = alike.filter(({ cluster }) => cluster.context !== name);
      return others.length > 0 ? provenWec(name, hub, others) : this.#wec(context ?? name);
    };
    return Promise.all(named.map(async (wec) => ({ name: wec.name, kube: await open(wec) })));
  }

  /** Returns the kubeconfig with the contexts of WECs. @param file default: `--wec-kubeconfig`, else the usual one */
  wecKubeconfig(file = this.options.wecKubeconfig): Promise<Kubeconfig> {
    if (file === undefined) return this.kubeconfig();
    const loaded = this.#wecKubeconfigs.get(file) ?? loadKubeconfig(file, this.io.env);
    this.#wecKubeconfigs.set(file, loaded);
    return loaded;
  }

  /** Returns the WDS that options, environment and settings select, if any. */
  async wdsChoice(): Promise<WdsChoice | undefined> {
    return chooseWds(this.options.wds, this.io.env, await this.#choices());
  }

  /** What `its use` and `wds use` have chosen for the hosting cluster of the command, as far as that is known without asking any. */
  async #choices() {
    const settings = await readSettings(settingsFile(this.io.env));
    if (settings.hosting === undefined) return settings;
    const kubeconfig = await this.kubeconfig();
    const asSelected = ifSeen(
      await tryRead(() => chooseHosting(this.options.hostingContext, this.io.env, kubeconfig)),
    );
    const isNoted = asSelected?.source === 'kubeconfig';
    this.#hosting ??= isNoted ? this.#chooseHosting() : undefined;
    const { source = 'current context', context } =
      (isNoted ? ifSeen(await tryRead(() => this.#hosting)) : asSelected) ?? {};
    const servers = [...kubeconfig.clusters.values()].flatMap(({ server }) => server ?? []);
    return choicesFor(settings, context?.server, source === 'current context' ? servers : []);
  }

  /** The hosting cluster, if one is selected and answers as one. */
  async hostingIfAny(): Promise<Kube | undefined> {
    return ifSeen(
      await tryRead(async () => {
        const { hosting } = await this.spaceTools();
        await requireHosting(hosting);
        return hosting;
      }),
    );
  }

  /** Returns the selected WDS, and the ITS that it sends through. @throws StellarError `usage`, `not-found` */
  async wds(given?: string): Promise<Wds> {
    const { openWds } = await import('../../lib/spaces/choose/open-wds.ts');
    const choice =
      given === undefined ? await this.wdsChoice() : ({ given, source: '--wds' } as const);
    const chosen = (await this.itsIfAny())?.source;
    const sources = {
      given: choice?.given,
      its: isAssumed(chosen)
        ? undefined
        : {
            open: () => this.its().then(({ context, kube }) => ({ name: context.name, kube })),
            isGiven: chosen !== 'its use',
          },
      hosting: await tryRead(() => this.spaceTools()),
      kubeconfig: await this.kubeconfig(),
      connect: (context: SelectedContext) => this.connect(context),
    };
    const wds = await openWds(sources).catch((error: unknown) => {
      throw choice === undefined ? error : withSource(error, choice.source);
    });
    return { ...wds, contextsNamed: (name) => this.contextsNamed(name) };
  }

  /** Returns the hosting cluster, and the other tools for spaces. */
  async spaceTools(): Promise<SpaceTools> {
    this.#hosting ??= this.#chooseHosting();
    const [kubeconfig, { context, source }] = await Promise.all([this.kubeconfig(), this.#hosting]);
    return {
      hosting: this.connect(context),
      hostingContext: context,
      hostingSource: source,
      kubeconfig,
      target: this.kubeconfigTarget,
      connect: (other) => this.connect(other),
    };
  }

  async #chooseHosting(): Promise<{ context: SelectedContext; source: HostingSource }> {
    const chosen = chooseHosting(this.options.hostingContext, this.io.env, await this.kubeconfig());
    return chosen.source === 'kubeconfig'
      ? ((await this.#currentInstead(chosen.context)) ?? chosen)
      : chosen;
  }

  /**
   * A current context that is a hosting cluster precedes the one that the kubeconfig notes, as in kflex after 0.9.3.
   * @throws StellarError `usage` for a command that destroys something or does not ask
   */
  async #currentInstead(noted: SelectedContext) {
    const connect = (context: SelectedContext) =>
      this.connect(context, { deadline: new Deadline(discoveryTimeoutMs) });
    const found = await otherHosting(noted, await this.kubeconfig(), connect);
    if (found === undefined) return undefined;
    if (!this.options.mayGuess || this.options.yes) throw found.error;
    this.run.progress.note(found.line);
    return { context: found.context, source: 'current context' } as const;
  }

  /** The kubeconfig to write to. */
  get kubeconfigTarget(): KubeconfigTarget {
    return { file: this.options.kubeconfig, env: this.io.env, dryRun: this.options.dryRun };
  }

  /** Returns a client for any context: one that it has, if nothing differs. @param own limits of its own */
  connect(context: SelectedContext, own?: Partial<Connecting>): Kube {
    const kept =
      own === undefined
        ? this.#clients.find((each) => isDeepStrictEqual(each.context, context))
        : undefined;
    if (kept !== undefined) return kept.kube;
    const live = connect(
      { start: startStep(context.name, context.server), ...context },
      { ...this.run, trace: this.#trace, plugins: this.#plugins, ...own },
    );
    const kube = this.options.dryRun ? recordWrites(live, this.record) : live;
    this.#clients.push({ context: own === undefined ? context : undefined, kube });
    return kube;
  }

  /** The same clusters, to which a dry run writes as well: it takes back what it has written. */
  get live(): Clusters {
    const { io, options, run } = this;
    this.#live ??= new Clusters(io, { ...options, dryRun: false }, { ...run, dryRun: false });
    return this.#live;
  }

  get #trace(): ((line: string) => void) | undefined {
    return this.options.verbose ? (line) => this.run.progress.note(line) : undefined;
  }

  /** What running other programs needs. */
  get programs(): ProgramRun & Run {
    return {
      ...this.run,
      env: this.io.env,
      sendSignal: (pid, name) => process.kill(pid, name),
      trace: this.#trace,
    };
  }

  /** Records a write that a dry run omits and that no client makes. */
  readonly record: WriteRecorder = (write) => this.writes.push(write);

  /** Records that a cluster was taken from the current context, and the option of this command that names it. */
  assume(option: string, context: string): void {
    this.assumed.set(option, context);
  }

  close(): void {
    for (const { kube } of this.#clients) kube.close();
    this.#live?.close();
  }
}

/** Whether the user has not named the cluster. */
export const isAssumed = (source: ItsChoice['source'] | undefined) =>
  source === undefined || source === 'current context' || source === 'only ITS';
