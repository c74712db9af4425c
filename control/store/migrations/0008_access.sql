-- What people and machines need of the database.

select 1;
