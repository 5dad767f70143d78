import { type Command, Option } from 'commander';
import { coreChart } from '../lib/hosting/core-chart.ts';
import { providerNames } from '../lib/local-clusters/names.ts';
import type { Io } from '../lib/terminal/io.ts';
import { defaultName, hostName, type InitOptions, port, toRequest } from './init-options.ts';
import { action } from './shell/action.ts';
import { localTools } from './shell/local-tools.ts';
import { collect, defineCommand, dryRunOption } from './shell/options.ts';

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
