/** What a command does when the reader of its output has gone (`| head`): nothing is left to say, and to whom. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}
