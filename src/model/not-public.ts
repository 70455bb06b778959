/**
 * IPv4 networks where nobody of the public Internet is: hosts, tenants, metadata services. Some clouds have
 * theirs at addresses that look like others: Oracle's in 192.0.0.0/24, Azure's at 168.63.129.16.
 */
export const NOT_PUBLIC: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '168.63.129.16/32',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
]

/** The same of IPv6: all that is not in 2000::/3, and what in there stands for other addresses. */
export const NOT_PUBLIC_IPV6: readonly string[] = [
  '::/3',
  '4000::/2',
  '8000::/1',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
]
