--
-- PostgreSQL database cluster dump
--

\restrict 4hvgRrgytpPqQooSoFn8olNjbqkafjao41v7Gb6xzDkn5uxCkL0CYgyA6GrKJXx

SET default_transaction_read_only = off;

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

--
-- Roles
--

CREATE ROLE app_owner;
ALTER ROLE app_owner WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;

--
-- User Configurations
--








\unrestrict 4hvgRrgytpPqQooSoFn8olNjbqkafjao41v7Gb6xzDkn5uxCkL0CYgyA6GrKJXx

--
-- PostgreSQL database cluster dump complete
--

