'use strict';
const { spawn } = require('node:child_process');

/**
 * Runs a program until it ends and passes on the signals that this process gets meanwhile.
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, output: string }>}
 */
function runChild(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data) => (output += data));

    const onTerminate = () => child.kill('SIGTERM');
    // Ctrl-C in a terminal goes to every process in its foreground, so that the child has it already: once is enough.
    const onInterrupt = () => hasTerminal() || child.kill('SIGINT');
    process.on('SIGTERM', onTerminate).on('SIGINT', onInterrupt);
    const settle = () => process.off('SIGTERM', onTerminate).off('SIGINT', onInterrupt);

    child.on('error', (error) => {
      settle();
      reject(error);
    });
    child.on('close', (code, signal) => {
      settle();
      resolve({ code, signal, output });
    });
  });
}

function hasTerminal() {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
}

/** Ends this process as a child ended: by the same signal, or with the same code. */
function endLike({ code, signal }) {
  if (signal === null) process.exitCode = code;
  else process.kill(process.pid, signal);
}

module.exports = { runChild, endLike };
