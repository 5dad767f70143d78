import { command } from '../engine/command-line.ts';
import { advice, type NextStep, partial, run } from '../engine/next-step.ts';
import type { Problem } from '../engine/problem.ts';

/** The words of every API server (k8s.io/apiserver, admission/plugin/webhook and NamespaceLifecycle). */
const byWebhook = /(?:admission|failed calling) webhook "([^"]+)"/;
const byEndingNamespace = /unable to create new content in namespace (\S+) because it is being terminated/;

const kinds = 'validatingwebhookconfigurations,mutatingwebhookconfigurations';
const columns = 'custom-columns=NAME:.metadata.name,WEBHOOKS:.webhooks[*].name';

interface Refusal extends Pick<Problem, 'next'> {
  code: 'webhook-refuses-on-wec' | 'namespace-terminating-on-wec';
}

/**
 * Returns what helps against a refusal that only whoever manages the WEC can end; undefined if the message does not show one.
 * @param message of the agent @param context of the WEC, if one is known @param its the context of the ITS
 */
export function toEndRefusal(
  message: string,
  wec: string,
  context: string | undefined,
  its: string | undefined,
): Refusal | undefined {
  const webhook = webhookIn(message);
  const [, namespace] = byEndingNamespace.exec(message) ?? [];
  if (webhook !== undefined) {
    const ask = `Ask who manages ${wec} whose webhook ${webhook} is. ${command`kubectl get ${kinds}`} shows it there`;
    const step = context === undefined ? advice(ask) : toSeeWebhook(webhook, context);
    return { code: 'webhook-refuses-on-wec', next: [step] };
  }
  if (namespace === undefined) return undefined;
  const see = command`stellarctl wec get ${`${wec}=CONTEXT`} ${its === undefined ? [] : ['--its', its]}`;
  const ask = partial(see, `See what blocks Namespace ${namespace}`);
  const next = [context === undefined ? ask : toSeeNamespace(namespace, context)];
  return { code: 'namespace-terminating-on-wec', next };
}

/** The webhook that an API server's message names as the one that refuses, or does not answer. */
export const webhookIn = (message: string): string | undefined => byWebhook.exec(message)?.[1];

/** The command that shows where a webhook is configured. */
export const toSeeWebhook = (name: string, context: string): NextStep =>
  run(command`kubectl --context ${context} get ${kinds} -o ${columns}`, `See whose webhook ${name} is`);

/** The command that shows why a namespace that is being deleted stays. */
export const toSeeNamespace = (name: string, context: string): NextStep =>
  run(
    command`kubectl --context ${context} get namespace ${name} -o yaml`,
    'What blocks it is for its owner to remove; see its status',
  );
