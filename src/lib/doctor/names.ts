import { lookup } from 'node:dns/promises';
import { type Outcome, pass, skipped, warn } from '../engine/checks.ts';
import { inWords } from '../engine/next-step.ts';
import { readHostingConfig } from '../hosting/hosting.ts';
import type { Kube } from '../kube/client/client.ts';
import { lenient } from '../kube/permissive-reader.ts';

type Resolve = (host: string) => Promise<{ address: string }>;

/**
 * Looks up a name as control planes get it. stellarctl knows KubeFlex's own domain without DNS; kubectl and others do not, and some
 * resolvers keep answers of 127.0.0.1 back.
 * @param resolve for tests
 */
export async function judgeNames(kube: Kube, resolve: Resolve = (host) => lookup(host)): Promise<Outcome> {
  const config = await readHostingConfig(lenient(kube));
  if (config === undefined) return skipped('KubeFlex is not installed, or you may not read it');
  if (config.isOpenShift) return skipped('OpenShift uses routes');
  const host = `its1.${config.domain}`;
  return resolve(host).then(
    ({ address }) => pass(`${host} is ${address}`),
    () =>
      warn(
        'names-unresolved',
        `${host} cannot be resolved on this machine: kubectl needs it, stellarctl does not`,
        inWords(
          `Let your DNS answer for *.${config.domain}, or put a line for each space into the hosts file: 127.0.0.1 ${host}`,
        ),
      ),
  );
}
