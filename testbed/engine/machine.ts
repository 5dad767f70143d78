/** What the bed of containers needs of this machine, and what it puts back. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import which from 'which';
import { engineFolder } from './folder.ts';

/** The packages of Debian and Ubuntu that have the programs, by program. */
const packagesOf: Record<string, readonly string[]> = {
  dockerd: ['docker.io', 'containerd', 'runc', 'iptables'],
  mmdebstrap: ['mmdebstrap', 'debian-archive-keyring'],
};

/**
 * @param installs whether missing packages are installed
 * @param builds whether root file systems are made
 * @throws Error what is missing, and how it is had
 */
export async function prepareMachine({
  installs,
  builds,
}: {
  installs: boolean;
  builds: boolean;
}): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error(
      'It needs root: it starts Docker, makes root file systems, and mounts a file of host names.',
    );
  const hasDocker = !(await execa('docker', ['version'], { reject: false })).failed;
  const missing = [...(hasDocker ? [] : ['dockerd']), ...(builds ? ['mmdebstrap'] : [])]
    .filter((name) => which.sync(name, { nothrow: true }) === null)
    .flatMap((name) => packagesOf[name] ?? []);
  if (missing.length === 0) return;
  if (!installs)
    throw new Error(
      `It needs packages of Debian or Ubuntu: ${missing.join(' ')}. Install them, or pass --install-docker.`,
    );
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await execa('apt-get', ['update'], { env });
  await execa('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { env });
}

const capSysResource = 24n;

/** Whether containers may have CAP_SYS_RESOURCE: without it, nobody gets limits above the hard ones, or a lower oom_score_adj. */
export async function canRaiseLimits(): Promise<boolean> {
  const [, bounding = '0'] =
    /^CapBnd:\t(\w+)$/m.exec(await readFile('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${bounding}`) >> capSysResource) & 1n) === 1n;
}

/**
 * What the kubelets of kind nodes set on the machine, as they are privileged (Kubernetes 1.32, pkg/kubelet/cm/container_manager_linux.go),
 * and dockerd (ip_forward).
 */
const changedByOthers = [
  ...['vm.overcommit_memory', 'vm.panic_on_oom', 'kernel.panic', 'kernel.panic_on_oops'],
  ...['kernel.keys.root_maxkeys', 'kernel.keys.root_maxbytes', 'net.ipv4.ip_forward'],
];

/** What three nodes with their pods need: as docs/local-clusters.md says of files, and of the keys that runc makes for each container. */
const needed: Record<string, number> = {
  'fs.inotify.max_user_watches': 524_288,
  'fs.inotify.max_user_instances': 8192,
  'kernel.keys.maxkeys': 20_000,
  'kernel.keys.maxbytes': 2_000_000,
};

const families = ['iptables', 'ip6tables'] as const;

interface MachineState {
  /** Which start of the machine it is of: nothing is left of an earlier one. */
  boot: string;
  hasBridge: boolean;
  sysctls: Record<string, string>;
  /** What `iptables-save` and `ip6tables-save` print; of a Docker that ran before, its own rules stay. */
  rules: Partial<Record<(typeof families)[number], string>>;
}

/** The default network of dockerd, which leaves it behind. */
const bridge = 'docker0';

const recordFile = () => join(engineFolder(), 'machine-before.json');
const sysctlFile = (name: string) => `/proc/sys/${name.replaceAll('.', '/')}`;

async function presentState(): Promise<MachineState> {
  const sysctls: MachineState['sysctls'] = {};
  for (const name of [...changedByOthers, ...Object.keys(needed)])
    sysctls[name] = (await readFile(sysctlFile(name), 'utf8')).trim();
  const rules: MachineState['rules'] = {};
  for (const family of families)
    rules[family] = (await execa(`${family}-save`, { reject: false })).stdout ?? '';
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return { boot, hasBridge: existsSync(`/sys/class/net/${bridge}`), sysctls, rules };
}

/** The state that a run has recorded since the machine was started. */
async function recorded(boot: string): Promise<MachineState | undefined> {
  if (!existsSync(recordFile())) return undefined;
  const state = JSON.parse(await readFile(recordFile(), 'utf8')) as MachineState;
  return state.boot === boot ? state : undefined;
}

/** Records the machine's state, unless an interrupted run has done so, and raises what is too low for several nodes. */
export async function takeMachine(): Promise<void> {
  await mkdir(engineFolder(), { recursive: true });
  const state = await presentState();
  if (!(await recorded(state.boot))) await writeFile(recordFile(), JSON.stringify(state, null, 2));
  for (const [name, value] of Object.entries(needed))
    if (Number(state.sysctls[name]) < value) await writeFile(sysctlFile(name), String(value));
}

/**
 * Puts the machine's state back. Rules only if no Docker runs: those that it makes for its networks are its own.
 * @returns what still differs
 */
export async function putMachineBack(isDockerLeft: boolean): Promise<string[]> {
  const { boot, rules } = await presentState();
  const before = await recorded(boot);
  if (!before) return [];
  for (const [name, value] of Object.entries(before.sysctls))
    await writeFile(sysctlFile(name), value);
  if (!isDockerLeft) {
    for (const family of families) {
      const input = restoring(before.rules[family], rules[family]);
      await execa(`${family}-restore`, { input });
    }
    if (!before.hasBridge) await execa('ip', ['link', 'delete', bridge], { reject: false });
  }
  await rm(recordFile());
  const after = await presentState();
  const differing = Object.keys(before.sysctls).filter(
    (name) => after.sysctls[name] !== before.sysctls[name],
  );
  const differingRules = isDockerLeft
    ? []
    : families.filter((family) => essence(after.rules[family]) !== essence(before.rules[family]));
  return [...differing, ...differingRules];
}

const tablePattern = /^\*(\w+)$/gm;

/** The input of iptables-restore that also empties tables which were not there: it changes only those that it names. */
function restoring(before = '', present = ''): string {
  const known = new Set([...before.matchAll(tablePattern)].map(([, table]) => table));
  const added = present.split(/^(?=\*)/m).filter((text) => {
    const [, table] = /^\*(\w+)$/m.exec(text) ?? [];
    return table !== undefined && !known.has(table);
  });
  const emptied = added.map((text) => {
    const [table = ''] = /^\*\w+$/m.exec(text) ?? [];
    const chains = [...text.matchAll(/^:(\w+) (?!-)/gm)].map(
      ([, chain]) => `:${chain} ACCEPT [0:0]`,
    );
    return [table, ...chains, 'COMMIT', ''].join('\n');
  });
  return `${before}\n${emptied.join('')}`;
}

/** The rules without comments, counters, and what a table without rules consists of. */
const essence = (rules = ''): string =>
  rules
    .split('\n')
    .filter((line) => !/^(?:#|$|COMMIT|\*|:\w+ ACCEPT )/.test(line))
    .map((line) => line.replace(/\[\d+:\d+\]/, ''))
    .join('\n');
