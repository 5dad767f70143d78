import { type Command, Option } from 'commander';
import { coreChart } from '../lib/hosting/core-chart.ts';
import { providerNames } from '../lib/local-clusters/names.ts';
import type { Io } from '../lib/terminal/io.ts';
import { defaultName, hostName, type InitOptions, port, toRequest } from './init-options.ts';
import { action } from './shell/action.ts';
import { localTools } from './shell/local-tools.ts';
import { collect, defineCommand, dryRunOption, hiddenSpelling } from './shell/options.ts';

const provider = new Option(
  '--provider <name>',
  'create a local cluster with this tool first, with its ingress',
).choices(providerNames);

export function initCommand(io: Io): Command {
  return defineCommand('init', {
    description:
      "Installs KubeFlex and KubeStellar's post-create hooks on a cluster, with your helm and KubeStellar's core chart, so that ITSes and WDSes can be created there. It can be rerun: it resumes what was interrupted, and changes nothing that is done. A newer chart is installed only with --upgrade. An existing KubeFlex is kept. Control planes are never deleted.",
    timeout: '15m',
    examples: [
      ['stellarctl init --hosting-context kind-kubeflex', 'install it on that cluster'],
      ['stellarctl init --provider kind', 'create a local cluster and install it there'],
      ['stellarctl init --chart ./core-chart-0.30.0.tgz', 'the same without access to ghcr.io'],
      ['stellarctl init --upgrade', 'upgrade KubeStellar, keeping all control planes'],
    ],
  })
    .addOption(new Option('--hosting-context <context>', 'the context of the cluster (default: the current one)'))
    .option(
      '--version <version>',
      `the version of KubeStellar, 0.29.0 or newer (default: what is installed, else ${coreChart.version})`,
    )
    .option('--chart <chart>', 'a chart directory, archive or mirror reference, instead of ghcr.io')
    .option('-f, --values <file>', 'a values file for the chart, as for helm (can be repeated)', collect)
    .option('--set <key=value>', 'a value for the chart, as for helm (can be repeated)', collect)
    .option('--set-string <key=value>', 'the same, always a string', collect)
    .option('--set-json <key=json>', 'the same, in JSON', collect)
    .option('--set-file <key=file>', 'the same, the content of a file', collect)
    .addOption(
      new Option('--domain <domain>', "the domain of control planes (the chart's default: localtest.me)").argParser(
        hostName,
      ),
    )
    .addOption(
      new Option('--external-port <port>', "the port of control planes (the chart's default: 9443)").argParser(port),
    )
    .addOption(
      new Option(
        '--host-container <name>',
        'its host name for other clusters (default: its node, for kind and k3d)',
      ).argParser(hostName),
    )
    .option('--upgrade', 'upgrade an older version')
    .addOption(provider)
    .addOption(hiddenSpelling('--create <provider>', provider))
    .option('--name <name>', `with --provider: the name of that cluster (default: ${defaultName})`)
    .option('--ingress-chart <chart>', 'with --provider: the ingress-nginx chart, if its repository is not reachable')
    .addOption(dryRunOption())
    .action(
      action<InitOptions>(io, async (session, options) => {
        const request = toRequest(options);
        const { makeHosting } = await import('../lib/hosting/install/make-hosting.ts');
        const result = await makeHosting(request, localTools(session));
        await session.finish([result]);
        session.next(result.itses?.length === 0 ? 'stellarctl its create its1' : 'stellarctl status');
      }),
    );
}
