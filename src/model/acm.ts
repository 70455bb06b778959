/** Automated Certificate Management: certificates of domains that come by themselves. */

/** As `heroku certs:auto` tells it, and waits for it. */
export type AcmStatus = 'pending' | 'verified' | 'cert issued' | 'failing' | 'failed'
