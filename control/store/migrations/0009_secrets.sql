-- What credentials need of the database.

select 1;
