-- What the catalog needs of the database.

select 1;
