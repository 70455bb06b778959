-- Of whoever had just given the app away, where the two came at the same moment: its owner
-- could neither see such an offer nor make another.
delete from app_transfers t using apps a
 where a.id = t.app and t.state = 'pending' and t.owner <> a.owner;
