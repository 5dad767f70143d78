import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { type Api, keyOf } from '../kube/api.ts';
import { apply } from '../kube/apply.ts';
import { isTrue } from '../kube/conditions.ts';
import type { AnyObject, Condition } from '../kube/objects.ts';
import type { Resource } from '../kube/resources.ts';
import { Exit, type PodContext } from '../pod-runner/program.ts';
import { clusterOf } from './cluster-of.ts';
import { resourceCalled } from './kubectl-kinds.ts';
import { withLastWords } from './last-words.ts';
import { runScript } from './shell.ts';

const pollPause = 200;

/** Stands in for the image `kubectl`: kubectl itself, and the shell with what KubeFlex and KubeStellar run in it. */
export async function kubectl(context: PodContext): Promise<void> {
  const api = clusterOf(context);
  const [first = '', second, script = ''] = context.args;
  const run = (args: string[], input?: string) => withLastWords(() => runKubectl(context, api, args, input), '');
  if (/(^|\/)sh$/.test(first) && second === '-c') return runScript(context, api, script, run);
  return run(first === 'kubectl' ? context.args.slice(1) : [...context.args]);
}

async function runKubectl(context: PodContext, api: Api, args: string[], input?: string): Promise<void> {
  const [command = '', ...rest] = args;
  if (command === 'wait') return wait(context, api, rest);
  if (command === 'apply') return applyFile(context, api, rest, input);
  if (command === 'delete') return deleteObject(context, api, rest);
  throw new Exit(`error: unknown command "${command}" for "kubectl"`);
}

/** `wait --for=create|condition=TYPE KIND/NAME --timeout=Ns` */
async function wait({ log, signal }: PodContext, api: Api, args: string[]): Promise<void> {
  const what = args.find((arg) => !arg.startsWith('-')) ?? '';
  const [kind = '', name = ''] = what.split('/');
  const resource = resourceCalled(kind);
  const goal = flag(args, '--for') ?? '';
  const deadline = Date.now() + Number.parseInt(flag(args, '--timeout') ?? '30s', 10) * 1000;
  const isMet = async () => {
    const found = await api.find<AnyObject & { status?: { conditions?: Condition[] } }>(resource, name);
    if (goal === 'create') return found !== undefined;
    if (!found) throw new Exit(notFound(resource, name));
    return isTrue(found.status?.conditions, goal.replace('condition=', ''));
  };
  while (!signal.aborted && !(await isMet())) {
    if (Date.now() > deadline)
      throw new Exit(`error: timed out waiting for the condition on ${qualified(resource)}/${name}`);
    await sleep(pollPause);
  }
  log(`${qualified(resource)}/${name} condition met`);
}

/** `apply -f FILE`, or `-` for what is handed in. */
async function applyFile({ readFile, log }: PodContext, api: Api, args: string[], input?: string): Promise<void> {
  const path = args[args.indexOf('-f') + 1] ?? '';
  const text = path === '-' ? input : readFile(path);
  if (text === undefined) throw new Exit(`error: the path "${path}" does not exist`);
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS() as AnyObject;
    await apply(api, object);
    log(`${object.kind?.toLowerCase()}/${keyOf(object)} configured`);
  }
}

/** `delete KIND NAME`, which waits until the object is gone. */
async function deleteObject({ log, signal }: PodContext, api: Api, args: string[]): Promise<void> {
  const [kind = '', name = ''] = args;
  const resource = resourceCalled(kind);
  if (!(await api.find(resource, name))) throw new Exit(notFound(resource, name));
  await api.delete(resource, name);
  log(`${qualified(resource)} "${name}" deleted`);
  while (!signal.aborted && (await api.find(resource, name))) await sleep(pollPause);
}

function flag(args: string[], name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
}

function notFound(resource: Resource, name: string): string {
  const [group = ''] = resource.apiVersion.split('/');
  return `Error from server (NotFound): ${resource.plural}.${group} "${name}" not found`;
}

/** `customresourcedefinition.apiextensions.k8s.io` */
function qualified({ kind, apiVersion }: Resource): string {
  return `${kind.toLowerCase()}.${apiVersion.split('/')[0]}`;
}
