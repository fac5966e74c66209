/** Does `work` for every item, a few at a time, in order. The first error stops what has not started, and is thrown. */
export async function eachOf<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let stopped = false;
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined && !stopped; item = queue.shift()) {
      await work(item).catch((error: unknown) => {
        stopped = true;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: concurrency }, worker));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
