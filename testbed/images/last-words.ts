import { ApiError } from '../kube/errors.ts';
import { Exit } from '../pod-runner/program.ts';

/** Runs a command line; its error becomes its last output, as in Go's programs. */
export async function withLastWords<T>(work: () => Promise<T>, prefix = 'Error: '): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Exit) throw error;
    throw new Exit(prefix + reasonOf(error as Error));
  }
}

function reasonOf(error: Error): string {
  const isUnknownUser = error instanceof ApiError && error.status === 401;
  return isUnknownUser ? 'the server has asked for the client to provide credentials' : error.message;
}
