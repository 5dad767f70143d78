/**
 * kind, k3d or docker, as started by the programs on PATH: `program.ts <program> <socket> [arguments]`. It passes its call to the
 * owner of the bed, prints the response and exits accordingly. Killing it ends the call.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Answer, Call } from './protocol.ts';

const [, , program = '', socketPath = '', ...args] = process.argv;
const variables = /^(HOME|KUBECONFIG|KIND_.*|K3D_.*|DOCKER_.*)$/;

// Like the real ones: kind reads it only for `--config -`.
const readsInput = args.some(
  (arg, i) => arg === '--config=-' || (arg === '-' && args[i - 1] === '--config'),
);
const stdin = readsInput ? await text(process.stdin) : undefined;
const call: Call = {
  program: program as Call['program'],
  args,
  cwd: process.cwd(),
  env: Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      variables.test(name) && value ? [[name, value]] : [],
    ),
  ),
  ...(stdin !== undefined && { stdin }),
};
const socket = connect(socketPath);
socket.on('error', (error) => {
  console.error(`the bed does not answer: ${error.message}`);
  process.exitCode = 1;
});
socket.write(`${JSON.stringify(call)}\n`);
for await (const line of createInterface({ input: socket })) {
  const answer = JSON.parse(line) as Answer;
  if ('stdout' in answer) process.stdout.write(answer.stdout);
  else if ('stderr' in answer) process.stderr.write(answer.stderr);
  else process.exitCode = answer.exitCode;
}
