import { type Command, InvalidArgumentError, Option } from 'commander';
import { command } from '../lib/engine/command-line.ts';
import { StellarError } from '../lib/engine/errors.ts';
import { coreChart } from '../lib/hosting/core-chart.ts';
import type { InitResult } from '../lib/hosting/install/init.ts';
import type { InitInput } from '../lib/hosting/install/input.ts';
import type { Kube } from '../lib/kube/client/client.ts';
import { checkClusterName, type ProviderName, providerNames } from '../lib/local-clusters/names.ts';
import type { Helm } from '../lib/programs/helm/helm.ts';
import type { Io } from '../lib/terminal/io.ts';
import { action } from './shell/action.ts';
import { type CommonOptions, collect, defineCommand, dryRunOption, type WritingOptions } from './shell/options.ts';
import type { Session } from './shell/session.ts';

/** As KubeFlex and KubeStellar's documentation call it. */
const defaultName = 'kubeflex';

interface Options extends CommonOptions, WritingOptions {
  hostingContext?: string;
  version?: string;
  chart?: string;
  values?: string[];
  set?: string[];
  setString?: string[];
  setJson?: string[];
  setFile?: string[];
  domain?: string;
  externalPort?: number;
  hostContainer?: string;
  upgrade?: boolean;
  create?: ProviderName;
  name?: string;
  ingressChart?: string;
}

export function initCommand(io: Io): Command {
  return defineCommand('init', {
    summary: 'make a cluster the hosting cluster of KubeStellar',
    description:
      "Installs KubeFlex and KubeStellar's post-create hooks on a cluster, with your helm and KubeStellar's core chart, so that ITSes and WDSes can be created there. Run again, it changes nothing, and goes on with what was interrupted; a newer chart is installed with --upgrade only. A KubeFlex that is there already is kept. Control planes are never deleted.",
    timeout: '15m',
    examples: [
      ['stellarctl init --hosting-context kind-kubeflex', 'make that cluster the hosting cluster'],
      ['stellarctl init --create kind', 'make a local cluster, and then the same'],
      ['stellarctl init --chart ./core-chart-0.30.0.tgz', 'the same without access to ghcr.io'],
      ['stellarctl init --upgrade', 'go to a newer KubeStellar, keeping all control planes'],
    ],
  })
    .addOption(new Option('--hosting-context <context>', 'the context of the cluster (else the current one)'))
    .option(
      '--version <version>',
      `the version of KubeStellar, 0.29.0 or newer (default: what is installed, else ${coreChart.version})`,
    )
    .option('--chart <chart>', 'a folder, a packed chart or a reference of a mirror, instead of ghcr.io')
    .option('-f, --values <file>', 'values for the chart, as helm takes them (may be repeated)', collect)
    .option('--set <key=value>', 'a value for the chart, as helm takes it (may be repeated)', collect)
    .option('--set-string <key=value>', 'the same, always a string', collect)
    .option('--set-json <key=json>', 'the same, in JSON', collect)
    .option('--set-file <key=file>', 'the same, the content of a file', collect)
    .addOption(
      new Option(
        '--domain <domain>',
        "the domain of the control planes' names (the chart's default: localtest.me)",
      ).argParser(hostName),
    )
    .addOption(
      new Option('--external-port <port>', "the port at which they are reached (the chart's default: 9443)").argParser(
        port,
      ),
    )
    .addOption(
      new Option(
        '--host-container <name>',
        'what other clusters reach this one as (default: its node, for kind and k3d)',
      ).argParser(hostName),
    )
    .option('--upgrade', 'go to the version, where an older one is installed')
    .addOption(
      new Option('--create <provider>', 'make a local cluster first, with the ingress that it needs').choices(
        providerNames,
      ),
    )
    .option('--name <name>', `with --create: the name of that cluster (default: ${defaultName})`)
    .option('--ingress-chart <chart>', 'with --create: the chart of ingress-nginx, where its own place is out of reach')
    .addOption(dryRunOption())
    .action(action<Options>(io, runInit));
}

async function runInit(session: Session, options: Options): Promise<void> {
  checkCombinations(options);
  const context = await contextOf(session, options);
  const { Helm } = await import('../lib/programs/helm/helm.ts');
  if (options.create === undefined) await announce(session, context, options);
  const helm = await Helm.find(
    { context, kubeconfig: options.kubeconfig },
    "install KubeStellar's chart",
    session.programs,
  );
  try {
    if (options.create === undefined) await initPresent(session, options, context, helm);
    else await initCreated(session, options, options.create, helm);
  } finally {
    await helm.close();
  }
}

async function initPresent(session: Session, options: Options, context: string, helm: Helm): Promise<void> {
  const { selectContext } = await import('../lib/kube/kubeconfig/kubeconfig.ts');
  const kube = session.connect(selectContext(await session.kubeconfig(), context));
  const result = await install(session, kube, helm, toInput(options));
  await finish(session, options, result);
}

/** Makes the cluster first. */
async function initCreated(session: Session, options: Options, provider: ProviderName, helm: Helm): Promise<void> {
  const { name = defaultName, ingressChart } = options;
  const { localNames } = await import('../lib/local-clusters/names.ts');
  session.progress.note(
    `Hosting cluster ${localNames(provider, name).context}, the ${provider} cluster ${name} on this machine`,
  );
  const { createHostingCluster } = await import('../lib/hosting/install/create-cluster.ts');
  const { withCluster } = await import('../lib/local-clusters/create.ts');
  const { run, programs, kubeconfigTarget: target } = session;
  const init = toInput(options);
  const { kube, context, created, changed, ingressPort } = await createHostingCluster(
    { provider, name, ingressChart, init },
    helm,
    {
      ...{ run, programs, target },
      connect: (selected) => session.connect(selected),
      record: options.dryRun ? session.record : undefined,
    },
  );
  if (kube === undefined) return session.finish([{ name: context, changed: false }]);
  const input = { ...init, externalPort: init.externalPort ?? ingressPort };
  const result = await install(session, kube, helm, input).catch((error: unknown) => {
    throw created ? withCluster(error, { provider, name, role: 'hosting' }) : error;
  });
  await finish(session, options, { ...result, changed: changed || result.changed });
}

async function finish(session: Session, options: Options, result: InitResult): Promise<void> {
  await mark(session, options, result);
  await session.finish([result]);
  session.next(result.itses.length === 0 ? 'stellarctl its create its1' : 'stellarctl status');
}

/** Says on the first line which cluster is meant, and where other commands would mean another one. */
async function announce(session: Session, name: string, { hostingContext: given }: Options): Promise<void> {
  const { selectContext, withoutCredentials } = await import('../lib/kube/kubeconfig/kubeconfig.ts');
  const { hostingContext } = await import('../lib/spaces/kubeconfig-extension.ts');
  const kubeconfig = await session.kubeconfig();
  const { server } = selectContext(kubeconfig, name);
  session.progress.note(`Hosting cluster ${name} (${withoutCredentials(server)})`);
  const noted = session.io.env.STELLARCTL_HOSTING_CONTEXT || hostingContext(kubeconfig);
  if (given === undefined && noted !== undefined && noted !== name)
    session.progress.note(
      command`That is the current context; the hosting cluster so far is ${noted}: for that one --hosting-context ${noted}`,
    );
}

/** What belongs to a cluster that is made first, and what would contradict it. */
function checkCombinations({ create, name, ingressChart, hostingContext }: Options): void {
  if (create !== undefined && name !== undefined) checkClusterName(create, name);
  if (create !== undefined && hostingContext !== undefined)
    throw new StellarError('usage', '--create makes a cluster, and --hosting-context names one. Give one of them.');
  for (const [option, given] of Object.entries({ '--name': name, '--ingress-chart': ingressChart })) {
    if (given !== undefined && create === undefined) throw new StellarError('usage', `${option} goes with --create.`);
  }
}

async function install(session: Session, kube: Kube, helm: Helm, input: InitInput): Promise<InitResult> {
  const { initHosting } = await import('../lib/hosting/install/init.ts');
  const started = Date.now();
  const result = await initHosting(input, { kube, helm, record: session.record }, session.run);
  const { name, version, changed } = result;
  const what = `is a hosting cluster of KubeStellar ${version}`;
  if (kube.dryRun) return result;
  if (changed) session.progress.done(name, what, Date.now() - started);
  else session.progress.done(name, `${what}; nothing to do`);
  return result;
}

/**
 * As `kflex init` does, so that both know from now on which cluster it is. The cluster is what was asked for: a kubeconfig that cannot
 * be written is worth a line.
 */
async function mark(session: Session, { dryRun }: Options, { name }: InitResult): Promise<void> {
  const { markHostingContext } = await import('../lib/spaces/kubeconfig-extension.ts');
  try {
    const isNews = await markHostingContext(session.kubeconfigTarget, name, session.run);
    if (isNews && !dryRun) session.progress.note(`The kubeconfig says now that ${name} is the hosting cluster.`);
  } catch (error) {
    if (!(error instanceof StellarError) || error.code !== 'file-error') throw error;
    session.progress.note(`That ${name} is the hosting cluster could not be noted: ${error.message}`);
  }
}

/** Which cluster is about to become one: what was given, or the current one; no other is ever taken for granted. */
async function contextOf(session: Session, { hostingContext, create, name = defaultName }: Options): Promise<string> {
  if (create !== undefined) {
    const { localNames } = await import('../lib/local-clusters/names.ts');
    return localNames(create, name).context;
  }
  const context = hostingContext ?? (await session.kubeconfig()).currentContext;
  if (context !== undefined) return context;
  throw new StellarError('usage', 'No cluster was given, and there is no current context.', {
    hint: 'Give the cluster to install KubeStellar on: --hosting-context CONTEXT    Or make one: --create kind',
  });
}

function toInput(options: Options): InitInput {
  const { chart, version, upgrade = false, domain, externalPort, hostContainer } = options;
  const { values, set, setString, setJson, setFile } = options;
  return {
    ...{ chart, version, upgrade, domain, externalPort, hostContainer },
    values: Object.fromEntries(
      Object.entries({ values, set, setString, setJson, setFile }).filter(([, given]) => given !== undefined),
    ),
  };
}

function port(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65535) throw new InvalidArgumentError('Give a port number.');
  return number;
}

/** Names of hosts and of containers, which become parts of addresses. */
function hostName(text: string): string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(text))
    throw new InvalidArgumentError('Give a name: letters, digits, "-", "_" and ".".');
  return text;
}
