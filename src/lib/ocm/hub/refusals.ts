import { advice, command, onIts, partial, run } from '../../core/next-step.ts';

/** The words of every API server (k8s.io/apiserver, admission/plugin/webhook, policy/validating and NamespaceLifecycle). */
const byWebhook = /(admission|failed calling) webhook "([^"]+)"/;
const byPolicy = /ValidatingAdmissionPolicy '([^']+)'/;
const byEndingNamespace =
  /unable to create new content in namespace (\S+) because it is being terminated/;

const webhookKinds = 'validatingwebhookconfigurations,mutatingwebhookconfigurations';
const webhookColumns = 'custom-columns=NAME:.metadata.name,WEBHOOKS:.webhooks[*].name';

/** What an API server's message names as what refuses, or does not answer. */
export interface Refuser {
  /** As `webhook x.example.com`. */
  what: string;
  /** The name of a webhook; undefined for a policy. */
  webhook: string | undefined;
  /** What shows where it is configured, for kubectl, and what to look for there. */
  see: readonly string[];
  lookFor: string;
}

export function refuserIn(message: string): Refuser | undefined {
  const [, how, webhook] = byWebhook.exec(message) ?? [];
  const [, policy] = byPolicy.exec(message) ?? [];
  const lookFor = how === 'failed calling' ? 'why it does not answer' : 'what it demands';
  if (webhook !== undefined)
    return {
      what: `webhook ${webhook}`,
      webhook,
      see: [webhookKinds, '-o', webhookColumns],
      lookFor,
    };
  if (policy === undefined) return undefined;
  const see = ['validatingadmissionpolicies', policy, '-o', 'yaml'];
  return { what: `ValidatingAdmissionPolicy ${policy}`, webhook: undefined, see, lookFor };
}

/** The command that shows what refuses. */
export const toSeeRefuser = ({ what, see, lookFor }: Refuser, context: string) =>
  run(command`kubectl --context ${context} get ${see}`, `See whose ${what} is, and ${lookFor}`);

/**
 * Returns what helps against a refusal that only whoever manages the WEC can end; undefined if the message does not show one.
 * @param message of the agent @param context of the WEC, if one is known @param its the context of the ITS
 */
export function toEndRefusal(
  message: string,
  wec: string,
  context: string | undefined,
  its: string | undefined,
) {
  const refuser = refuserIn(message);
  const [, namespace] = byEndingNamespace.exec(message) ?? [];
  if (refuser !== undefined) {
    const { what, see } = refuser;
    const ask = `Ask who manages ${wec} whose ${what} is. ${command`kubectl get ${see.slice(0, 1)}`} shows it there`;
    const next = [context === undefined ? advice(ask) : toSeeRefuser(refuser, context)];
    return { code: 'admission-refuses-on-wec', next };
  }
  if (namespace === undefined) return undefined;
  const see = command`stellarctl wec get ${`${wec}=CONTEXT`} ${onIts(its)}`;
  const ask = partial(see, `See what blocks Namespace ${namespace}`);
  const next = [context === undefined ? ask : toSeeNamespace(namespace, context)];
  return { code: 'namespace-terminating-on-wec', next };
}

/** The command that shows why a namespace that is being deleted stays. */
export const toSeeNamespace = (name: string, context: string) =>
  run(
    command`kubectl --context ${context} get namespace ${name} -o yaml`,
    'See what blocks it, which its owner must remove',
  );
