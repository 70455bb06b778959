-- Each look asks for a formation's live dynos: not at the cost of all of the region's.
create index dynos_of_formation on dynos (formation) where state <> 'down';
