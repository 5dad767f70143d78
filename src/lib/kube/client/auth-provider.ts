import { OpenIDConnectAuth } from '@kubernetes/client-node/dist/oidc_auth.js';
import * as openid from 'openid-client';
import { Deadline } from '../../engine/deadline.ts';
import { failureOf, StellarError } from '../../engine/errors.ts';
import { advice } from '../../engine/next-step.ts';
import { editKubeconfig, type KubeconfigDraft } from '../kubeconfig/edit.ts';
import type { SelectedContext, UserEntry } from '../kubeconfig/kubeconfig.ts';
import type { Waiting } from '../kubeconfig/lock.ts';
import type { Issued, PluginHost } from './credentials.ts';
import { Transport } from './transport.ts';

type Config = Record<string, string>;

/** What replaced auth providers that kubectl refuses since 1.26 (client-go, plugin/pkg/client/auth). */
const replacements: Record<string, string> = {
  gcp: 'Use its replacement, the exec plugin gke-gcloud-auth-plugin: gcloud container clusters get-credentials CLUSTER',
  azure: 'Use its replacement, the exec plugin kubelogin: kubelogin convert-kubeconfig',
};
const required = ['idp-issuer-url', 'client-id', 'refresh-token'];
/** How long before it expires client-go renews a token. */
const marginMs = 10_000;
/** How long to wait for the lock of the kubeconfig. The renewed tokens must not be lost, even if the command is interrupted. */
const saveMs = 5000;

/**
 * The ID token of an OpenID provider, renewed if it has expired (client-go, plugin/pkg/client/auth/oidc). A refresh token may be
 * valid only once: renewed tokens go at once into the file that defines the user.
 * @throws StellarError `kubeconfig-invalid` for other auth providers, `credentials-failed`, and those of requests
 */
export async function issuedByProvider(context: SelectedContext, host: PluginHost): Promise<Issued> {
  const { name = '', config } = context.user['auth-provider'] ?? {};
  if (name !== 'oidc')
    throw new StellarError(
      'kubeconfig-invalid',
      `Context ${context.name} has a user with the auth provider "${name}", which kubectl no longer supports.`,
      { next: [advice(replacements[name] ?? 'Use an exec plugin: the field "exec" of the user')] },
    );
  const loaded = config ?? {};
  if (isValid(loaded)) return issued(loaded);
  // Another program may have renewed it meanwhile.
  return renewed(context, await configNow(context, loaded, host), host);
}

/** Milliseconds since the epoch; 0 without a token. */
const expiryOf = (config: Config): number => OpenIDConnectAuth.expirationFromToken(config['id-token'] ?? '') * 1000;

const isValid = (config: Config): boolean => expiryOf(config) > Date.now() + marginMs;

const issued = (config: Config): Issued => ({
  token: config['id-token'] ?? '',
  expirationTimestamp: new Date(expiryOf(config) - marginMs).toISOString(),
});

async function renewed(context: SelectedContext, config: Config, host: PluginHost): Promise<Issued> {
  if (isValid(config)) return issued(config);
  const missing = required.find((key) => !config[key]);
  if (missing !== undefined) throw new Error(`its ID token has expired, and it has no ${missing} to renew it`);
  const tokens = await requestTokens(context, config, host);
  const waiting = { deadline: new Deadline(saveMs), signal: new AbortController().signal };
  await edit(context, waiting, (draft, name) => {
    const user = draft.get('users', name) as UserEntry | undefined;
    const provider = user?.['auth-provider'];
    if (!provider) return;
    draft.set('users', name, { ...user, 'auth-provider': { ...provider, config: { ...provider.config, ...tokens } } });
  }).catch((error: unknown) =>
    host.progress.note(`The renewed token of context ${context.name} was not saved: ${failureOf(error).message}`),
  );
  return issued(tokens);
}

/** The configuration of the provider as it is in the file now. */
async function configNow(context: SelectedContext, known: Config, waiting: Waiting): Promise<Config> {
  const present = await edit(context, waiting, (draft, name) => draft.get('users', name) as UserEntry | undefined);
  return present?.['auth-provider']?.config ?? known;
}

/** Edits the files of the user; a user that is in no file of this machine is not edited. */
async function edit<T>(
  { userIn }: SelectedContext,
  waiting: Waiting,
  change: (draft: KubeconfigDraft, user: string) => T,
): Promise<T | undefined> {
  if (userIn === undefined) return undefined;
  const { files, name } = userIn;
  return (await editKubeconfig({ files, env: {} }, (draft) => change(draft, name), waiting)).result;
}

/** Requests new tokens. */
async function requestTokens(context: SelectedContext, config: Config, host: PluginHost): Promise<Config> {
  const { 'idp-issuer-url': issuer = '', 'client-id': client = '', 'refresh-token': token = '' } = config;
  const secret = config['client-secret'];
  // Every provider takes it in a header (RFC 6749, 2.3.1).
  const authentication = secret ? openid.ClientSecretBasic(secret) : openid.None();
  const transports: Transport[] = [];
  const send: openid.CustomFetch = async (address, { method, headers, body }) => {
    const { origin, pathname } = new URL(address);
    const transport = transportTo(origin, context, config, host);
    transports.push(transport);
    const request = { method: method as 'GET' | 'POST', path: pathname, headers };
    const { status, text } = await transport.send(body ? { ...request, body: String(body) } : request);
    return new Response(text, { status, headers: { 'Content-Type': 'application/json' } });
  };
  try {
    const options = { [openid.customFetch]: send };
    const provider = await openid.discovery(new URL(issuer), client, undefined, authentication, options);
    const { id_token, refresh_token = token } = await openid.refreshTokenGrant(provider, token);
    if (id_token === undefined) throw new Error('it has not sent an ID token');
    return { 'id-token': id_token, 'refresh-token': refresh_token };
  } catch (error) {
    const { cause } = error as Error;
    if (cause instanceof StellarError) throw cause;
    const why = error instanceof openid.ResponseBodyError ? [error.error, error.error_description] : [String(error)];
    throw new StellarError(
      'credentials-failed',
      `The token of context ${context.name} was not renewed by ${issuer}: ${why.filter(Boolean).join(', ')}.`,
      { next: [advice('Log in again')], cause: error },
    );
  } finally {
    for (const { credentials } of transports) credentials.close();
  }
}

/** Requests to the provider have the limits of the command, and the proxy of the environment. */
function transportTo(server: string, { name }: SelectedContext, config: Config, host: PluginHost): Transport {
  const { 'idp-certificate-authority': file = '', 'idp-certificate-authority-data': data = '' } = config;
  const cluster = { server, 'certificate-authority': file, 'certificate-authority-data': data };
  const { deadline, signal, trace } = host;
  const context = { name, server, cluster, user: {} };
  return new Transport({ context, deadline, signal, trace, limit: (work) => work(), plugins: undefined });
}
