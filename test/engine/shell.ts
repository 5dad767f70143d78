/** A user's shell on a machine with Docker: commands are typed as printed, and their outputs, times and exit codes are kept. */
import { appendFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { install } from '../../scripts/node-from-npm.ts';
import type { Engine } from '../../testbed/engine/index.ts';
import { root } from '../pages.ts';

/** The names of spaces, which the public DNS leads to the loopback address. */
const spaceNames = [
  'localtest.me',
  ...['its1', 'its2', 'wds1'].map((name) => `${name}.localtest.me`),
];

type ExpectedExit = number | 'any';

export interface Shell {
  /** The working folder and home. */
  home: string;
  /** Runs a command line, and returns what it prints. @throws Error if it ends with another exit code than expected (0) */
  type(line: string, expected?: ExpectedExit): Promise<string>;
}

/** @param folder that of the user, of whose home `install` has made a fresh one, and of the log */
export async function openShell(folder: string, engine: Engine): Promise<Shell> {
  const home = path.join(folder, 'home');
  const bin = path.join(folder, 'bin');
  const place = path.join(folder, 'package');
  for (const made of [bin, place]) await rm(made, { recursive: true, force: true });
  for (const needed of [home, bin]) await mkdir(needed, { recursive: true });
  const { programs: others, local } = engine;
  const programs = {
    node: process.execPath,
    ...others,
    stellarctl: await installPackage(folder, place),
  };
  for (const [name, program] of Object.entries(programs))
    await symlink(program, path.join(bin, name));
  const env = {
    HOME: home,
    KUBECONFIG: path.join(home, '.kube', 'config'),
    PATH: [bin, '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(path.delimiter),
    ...(local && { SSL_CERT_FILE: local.trusted, NODE_EXTRA_CA_CERTS: local.trusted }),
    LANG: 'C.UTF-8',
  };
  const hosts = await hostsFile(folder, engine);
  const log = path.join(folder, 'log.txt');
  const typing = { cwd: home, env, hosts, log };
  return { home, type: (line, expected = 0) => typed(line, expected, typing) };
}

/** What `npm pack` makes, installed. @returns its program */
async function installPackage(folder: string, place: string) {
  await execa('npm', ['pack', '--pack-destination', folder], { cwd: root });
  const { name, version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  const archive = path.join(folder, `${name}-${version}.tgz`);
  await install(place, archive);
  await rm(archive);
  return path.join(place, 'node_modules', '.bin', 'stellarctl');
}

/** Names that the machine's DNS may not know: those of registries, and those of spaces. */
async function hostsFile(folder: string, { local }: Engine) {
  const file = path.join(folder, 'hosts');
  const present = await readFile('/etc/hosts', 'utf8');
  const added = [
    ...(local ? [[local.registry.address, ...local.registry.names]] : []),
    ['127.0.0.1', ...spaceNames],
  ];
  await writeFile(
    file,
    [present.trimEnd(), ...added.map((words) => words.join(' ')), ''].join('\n'),
  );
  return file;
}

/** No command of README takes longer. */
const longestMs = 600_000;

async function typed(
  line: string,
  expected: ExpectedExit,
  { cwd, env, hosts, log }: { cwd: string; env: NodeJS.ProcessEnv; hosts: string; log: string },
) {
  process.stdout.write(`$ ${line}\n`);
  const started = performance.now();
  // The file of names is this command's only: a mount in a namespace of its own.
  const script = 'mount --bind "$1" /etc/hosts && exec bash -c "$2"';
  const { exitCode, all, timedOut } = await execa(
    'unshare',
    ['--mount', 'bash', '-c', script, 'bash', hosts, line],
    { cwd, env, extendEnv: false, all: true, reject: false, stdin: 'ignore', timeout: longestMs },
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const ended = `# ${timedOut ? 'no end' : `exit code ${exitCode}`} after ${seconds} s`;
  process.stdout.write(`${ended}\n`);
  await appendFile(log, `$ ${line}\n${all}\n${ended}\n\n`);
  if (timedOut || (expected !== 'any' && exitCode !== expected))
    throw new Error(`"${line}" ended with ${exitCode}:\n${all}`);
  return all;
}
