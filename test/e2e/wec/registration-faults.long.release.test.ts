import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type AnyObject,
  type Bed,
  createRegistrationRequest,
  type Fault,
  faultyPods,
  type Plane,
  resources,
  until,
  wipeWec,
  writeKubeconfig,
} from '../../../testbed/index.ts';
import type { Cli, CliOptions, CliRun } from '../support/harness.ts';
import { inRelease } from '../support/in-release.ts';
import { ask, stateOf } from '../support/pretended-agents.ts';
import { assertRefused, writesOn } from '../support/refusal.ts';
import {
  assertAvailable,
  otherAuthorityOf,
  restartPods,
  statusOf,
  trustingOther,
} from '../support/registration.ts';
import { enterPlanes, leaveBed } from '../support/shared-bed.ts';

let bed: Bed;
let cli: Cli;
let its1: Plane;
let its2: Plane;
let cluster3: Plane;

before(async () => {
  ({
    bed,
    cli,
    planes: [its1, its2, cluster3],
  } = await enterPlanes('its1', 'its2', 'cluster3', 'cluster1', 'cluster2'));
});

after(() => leaveBed(cli));

/** Runs a command line that must fail at a deadline of seconds, or within half a minute on a busy machine. */
async function fails(
  line: string,
  exitCode: number,
  says: RegExp,
  options: CliOptions = {},
): Promise<CliRun> {
  const expected = Math.min(30, Number(/--timeout (\d+)s/.exec(line)?.[1] ?? 30));
  const started = Date.now();
  const ended = await cli.run(line.split(' '), options);
  const took = (Date.now() - started) / 1000;
  assert.ok(took < expected + 45, `${line} took ${took} s:\n${ended.stdout}${ended.stderr}`);
  assertRefused(ended, { exitCode, says });
  return ended;
}

/** Runs all in parallel to the end: a failure leaves nothing running into the next test. */
async function together(...running: Promise<unknown>[]) {
  const ended = await Promise.allSettled(running);
  const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
}

/** The problem that `wec get` reports, and the command to run. */
async function diagnosisOf(
  wec: string,
  its: string,
  options: CliOptions = {},
): Promise<{ problem: string; steps: string[]; next: string }> {
  const { diagnosis } = (await cli.type(`wec get ${wec} --its ${its} -o json`, options)).json();
  return diagnosis ?? { problem: 'nothing', steps: [], next: 'nothing' };
}

async function during<T>(fault: Fault, act: () => Promise<T>): Promise<T> {
  const mend = await bed.fault(fault);
  try {
    return await act();
  } finally {
    await mend();
  }
}

/** Restarts a plane's API server as soon as this text is printed. */
const restarting = (plane: string, text: RegExp): CliOptions => ({
  whenPrinted: { text, act: () => during({ kind: 'stopped', plane }, async () => {}) },
});

const clusterHas = (hub: Plane, name: string, type: string, status: string) =>
  until(async () => {
    const cluster = await hub.admin.find(resources.managedClusters, name);
    return statusOf(cluster, type) === status;
  }, `${type}=${status} of ${name}`);

/** Lets the hub judge a silent agent after 5 s instead of five minutes. */
const judgeSoon = (hub: Plane, name: string) =>
  hub.admin.patch(resources.managedClusters, name, { spec: { leaseDurationSeconds: 1 } });

// In parallel, since they mostly wait: on its1 an agent or the network fails; on its2 the hub itself.
describe('when something goes wrong', { concurrency: true }, () => {
  describe('with an agent', { concurrency: 1 }, () => {
    it('whose operator crashes, all commands report it, and join completes after the fix', async () => {
      const crash = /: it keeps crashing \(exit \d+, restarted \d+ times\)/;
      await during(
        { kind: 'crashing', plane: 'cluster1', pod: 'open-cluster-management/' },
        async () => {
          const { stderr } = await fails('wec join cluster1 --accept --its its1', 1, crash);
          assert.match(stderr, /kubectl .*logs .* --previous/);
          // At times it is being retried.
          const next = await until(async () => {
            const diagnosis = await diagnosisOf('cluster1=cluster1', 'its1');
            const isIt = /a container does not run: pod \S+, container \S+: it keeps crashing/.test(
              diagnosis.problem,
            );
            return isIt ? diagnosis.next : undefined;
          }, 'diagnosis of the container');
          assert.match(
            next,
            /^kubectl --context cluster1 -n open-cluster-management logs klusterlet-\S+ -c \S+ --previous/,
          );
          await fails('wec wait cluster1=cluster1 --timeout 5s --its its1', 3, crash);
        },
      );
      await cli.type('wec join cluster1 --accept --its its1');
      await assertAvailable(its1, 'cluster1');
    });
  });

  describe('with one of several agents, or the network', { concurrency: 1 }, () => {
    let intruder = '';

    it('that compete for a name, join reports only its own request', async () => {
      intruder = await ask(its1, 'cluster2', { agent: 'aaaaaaaa-intruder' });
      await cli.type('wec join cluster2 --its its1');
      const { requests } = (await cli.type('wec get cluster2 --its its1 -o json')).json();
      assert.equal(requests.length, 2, 'its own agent has asked when join ends');
    });

    it('that compete for a name, accept names both and approves none', async () => {
      await until(async () => {
        const { items } = await its1.admin.list(resources.certificateSigningRequests);
        return items.length >= 2;
      }, 'second request');
      const run = await fails(
        'accept cluster2=cluster2 --its its1',
        1,
        /Several agents ask to be cluster2; none/,
      );
      assert.match(
        run.stderr,
        /^ +cluster2-\S+: agent aaaaaaaa-intruder, key [0-9a-f]{8}, pending/m,
      );
      assert.match(
        run.stderr,
        /^ +cluster2-\S+: agent [0-9a-f-]{36}, key [0-9a-f]{8}, pending, .*← the Klusterlet of the WEC$/m,
      );
      assert.match(run.stderr, /stellarctl accept cluster2 --agent [0-9a-f]{8}\b/);
      assert.equal(await stateOf(its1, intruder), 'pending');
      assert.match((await diagnosisOf('cluster2', 'its1')).problem, /: 2 agents ask for its name/);
    });

    it('that compete for a name, join --accept chooses its own', async () => {
      await cli.type('wec join cluster2 --accept --its its1');
      await assertAvailable(its1, 'cluster2');
      assert.equal(await stateOf(its1, intruder), 'pending');
    });
  });

  describe('with the ITS', { concurrency: 1 }, () => {
    it('whose API server restarts, waits continue: join --accept, accept, wec wait, wec list --watch', async () => {
      const line = 'wec join cluster3 --accept --its its2';
      const sawIt = { text: /^cluster3( +yes){3} +available /m, signal: 'SIGINT' } as const;
      const watch = async () => {
        const { exitCode, stdout } = await cli.run('wec list --watch --its its2'.split(' '), {
          signalAt: sawIt,
        });
        assert.equal(exitCode, 130, `cluster3 became available while it watched:\n${stdout}`);
      };
      await together(
        watch(),
        cli.type(line, restarting('its2', /klusterlet applied/)),
        cli.type('wec wait cluster3 --for request --timeout 240s --its its2'),
        fails(
          'accept asking --wait --timeout 25s --its its2',
          3,
          /asking did not reach the stage available in time/,
        ),
      );
      await assertAvailable(its2, 'cluster3');
    });

    it(
      'whose certificate authority changes, all commands report it, and join renews the connection',
      inRelease,
      async () => {
        await cli.type('wec join cluster3 --accept --its its2');
        await judgeSoon(its2, 'cluster3');
        await during({ kind: 'certificate', plane: 'its2' }, async () => {
          const all = [
            'wec join cluster3 --accept',
            'accept cluster3',
            'wec wait cluster3',
            'wec list',
            'wec get cluster3',
          ];
          const untrusted =
            /^✗ Cannot reach its2 \(https:\S+\): its certificate is signed by an unknown authority\.$/;
          await together(
            ...[...all, 'label cluster3 tier=c'].map((line) =>
              fails(`${line} --its its2`, 4, untrusted),
            ),
          );

          const options = {
            kubeconfig: await writeKubeconfig(its2, [
              trustingOther(its2),
              cluster3.kubeconfigEntry,
            ]),
          };
          // Open connections stay; the agent and the operator's check of the hub start again.
          for (const namespace of ['open-cluster-management-agent', 'open-cluster-management'])
            await restartPods(cluster3, namespace);
          await until(async () => {
            const { status } = (await cluster3.admin.get(
              resources.klusterlets,
              'klusterlet',
            )) as AnyObject & { status?: { conditions: { type: string; message: string }[] } };
            return status?.conditions.some(({ message }) => message?.includes('x509'));
          }, 'word of the operator');
          await clusterHas(its2, 'cluster3', 'ManagedClusterConditionAvailable', 'Unknown');
          const { problem, next } = await diagnosisOf('cluster3=cluster3', 'its2', options);
          assert.match(
            problem,
            /^cluster3 cannot connect to its2: the hub's certificate authority has changed since it joined/,
          );
          assert.equal(next, 'stellarctl wec join cluster3=cluster3 --accept --its its2');

          // kube-public/cluster-info still has the old one.
          const file = path.join(cli.home, 'other-ca.pem');
          await writeFile(file, otherAuthorityOf(its2));
          const line = `wec join cluster3=cluster3 --accept --its its2 --ca-file ${file}`;
          await cli.type(line, options);
          await assertAvailable(its2, 'cluster3');
        });
      },
    );

    it('whose webhook crashes, nothing is approved too early, all commands report it, and registration continues afterwards', async () => {
      await wipeWec(its2, cluster3, 'cluster3');
      const early = await createRegistrationRequest(its2, {
        cluster: 'early',
        agent: 'agent-of-early',
      });
      await ask(its2, 'announced', { agent: 'agent-of-announced' });
      const missing = /blocked by managed-cluster: the agent .*announced? its ManagedCluster/;
      const look = /-n open-cluster-management-hub logs \S+ -c \S+ --previous/;
      const silent = /OCM's webhook for ManagedClusters does not answer: .*it keeps crashing/;
      await during({ kind: 'crashing', plane: 'its2', pod: faultyPods.webhook }, async () => {
        const webhook =
          /failed calling webhook "managedcluster\S+\.admission\.cluster\.open-cluster-management\.io"/;
        await together(
          fails('accept announced --timeout 8s --its its2', 3, webhook),
          fails('label announced tier=a --its its2', 1, webhook),
          fails('accept early --timeout 8s --its its2', 3, missing),
        );
        // Reported at once; nothing is installed that would fail.
        await cluster3.markAudit();
        const waiting = await fails(
          'wec join cluster3 --accept --timeout 8s --its its2',
          3,
          silent,
        );
        assert.match(waiting.stderr, look);
        assert.deepEqual(await writesOn(cluster3), []);
        assert.equal(await stateOf(its2, early.metadata.name), 'pending');
        const diagnosis = await diagnosisOf('early', 'its2');
        assert.match(diagnosis.problem, /^early .*OCM's webhook/);
        assert.match(diagnosis.next, look);
      });
      await cli.type('wec join cluster3 --accept --its its2');
      await assertAvailable(its2, 'cluster3');
    });
  });
});
