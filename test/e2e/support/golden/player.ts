import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { Bed, Plane } from '../../../../testbed/index.ts';
import type { Cli, CliOptions } from '../harness.ts';
import { markAll, writesOn } from '../refusal.ts';
import type { RawKubeconfig } from '../spaces.ts';
import { inOrder, type Known, normalise, untimed } from './normalise.ts';
import { marked, type Step } from './transcript.ts';
import { runTyped } from './typed.ts';

/** Actions on the clusters between commands, by their names in transcripts. */
export type Acts = Record<string, () => Promise<unknown>>;

interface Surroundings {
  bed: Bed;
  cli: Cli;
  kubeconfig: string;
  acts: Acts;
  env?: Record<string, string>;
  /** What differs between runs besides the addresses of the bed. */
  known?: readonly Known[];
}

/** A hub that deletes slowly is made to look again. */
const requeued = /^(delete managedclusters (\S+)\n)(?:patch managedclusters \2\n)+/gm;

/**
 * Performs the steps of transcripts on a test bed: the writes on its clusters, and changes of the kubeconfig, are part of the
 * outcome.
 * `except:cluster1` before a command omits the writes on cluster1: their number depends on the speed of its operator.
 */
export class Player {
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  async perform({ kind, line }: Step): Promise<string> {
    const { cli, kubeconfig, acts, env = {} } = this.#surroundings;
    if (kind === '@') {
      const act = acts[line];
      if (act === undefined) throw new Error(`nobody knows how to ${line}`);
      await act();
      return '';
    }
    const planes = this.#running();
    await markAll(planes);
    const contexts = await contextsIn(kubeconfig);
    // A token in the output is a difference from the recording.
    const options: CliOptions = { kubeconfig, env, mayShowToken: true };
    const printed = await runTyped(cli, line, this.#known(), options);
    const looked = this.#running().filter(({ name }) => !line.includes(`except:${name} `));
    const writes = await Promise.all(looked.map((plane) => this.#writesOn(plane)));
    const changed = normalise(changes(contexts, await contextsIn(kubeconfig)), this.#known());
    return printed + writes.join('') + marked('kubeconfig', changed);
  }

  #running(): Plane[] {
    const { bed } = this.#surroundings;
    return bed.planes.filter(
      ({ name }) => !bed.faults.some((fault) => fault.kind === 'stopped' && fault.plane === name),
    );
  }

  async #writesOn(plane: Plane): Promise<string> {
    const writes = await writesOn(plane);
    const text = normalise(writes.map((write) => `${write}\n`).join(''), this.#known());
    return marked(plane.name, untimed(inOrder(text.replace(requeued, '$1'), 'written')));
  }

  #known(): Known[] {
    const { bed } = this.#surroundings;
    return [
      ...(this.#surroundings.known ?? []),
      { text: bed.dir, as: '<bed>' },
      ...bed.planes.flatMap(({ name, server, ingressPort }) => [
        { text: server, as: `https://<${name}>` },
        { text: server.replace('https://', ''), as: `<${name}>` },
        ...(ingressPort === undefined ? [] : [{ text: String(ingressPort), as: '$INGRESS' }]),
      ]),
    ];
  }
}

/** The contents of a kubeconfig, one context per line. */
async function contextsIn(file: string) {
  const config: Partial<RawKubeconfig> = parse(await readFile(file, 'utf8')) ?? {};
  const extensions = (found: object[] = []) =>
    found.map((each) => ` ${JSON.stringify(each)}`).join('');
  return [
    `current ${config['current-context']}`,
    ...(config.contexts ?? []).map(
      ({ name, context: { cluster, user, extensions: own } }) =>
        `context ${name}: cluster ${cluster}, user ${user}${extensions(own)}`,
    ),
    ...(config.clusters ?? []).map(({ name }) => `cluster ${name}`),
    ...(config.users ?? []).map(
      ({ name, user }) => `user ${name}: ${Object.keys(user).join(', ')}`,
    ),
    ...(config.extensions ?? []).map((each) => `extension ${JSON.stringify(each)}`),
  ];
}

function changes(before: readonly string[], after: readonly string[]) {
  const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line}\n`);
  const added = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}\n`);
  return [...gone, ...added].join('');
}
