-- What schedules need of the database.

select 1;
