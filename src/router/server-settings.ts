/**
 * Of every server, static or added at run time. The weight makes `random` spread evenly. Without
 * `pool-max-conn` one added at run time would keep no connection (HAProxy 2.6: `idle_lim` 0), and
 * each request would pay for a new one.
 *
 * A dyno that refuses a connection, or does not take it in time, is asked again at once, and is
 * quarantined if that fails, too: it gets no request until it takes a connection, which is tried
 * every five seconds. (Quarantined by the request's failure itself, it would cost that request
 * a second where one other dyno is left.) HAProxy observes requests only where there are checks;
 * those of dynos that are well are three weeks apart.
 */
export const SERVER_SETTINGS = [
  'weight 32 pool-purge-delay 2s pool-max-conn -1',
  'check inter 20d fastinter 10ms downinter 5s rise 1 fall 2 observe layer4 error-limit 1',
].join(' ')
