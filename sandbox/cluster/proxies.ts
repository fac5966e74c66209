/** Names of settings for proxies, in both spellings that programs read. */
const PROXY = /^(?:https?|all|no)_proxy$/i;

/**
 * An environment without proxies. An API server would send its calls of webhooks through one, and be answered by somebody
 * else than the service it named.
 */
export function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !PROXY.test(key)));
}
