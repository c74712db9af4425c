-- What the keychain needs of the database.

select 1;
