-- What lists need of the database.

select 1;
